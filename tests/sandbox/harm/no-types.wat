;; refused: exports
;; A module that does not say what it is.
(module (func (export "run")))
