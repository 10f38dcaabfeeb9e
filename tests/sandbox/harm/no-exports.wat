;; refused: exports
;; says: export!
;; A component, and no plugin.
(component)
