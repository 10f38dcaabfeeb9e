;; refused: imports
;; says: no such interface
;; Asks for files by a name of ours.
(component (import "patchbay:plugin/files@0.1.0" (instance)))
