;; refused: describe
;; without: describe
;; Its description begins where nothing of its kind may begin.
(func (export "patchbay:plugin/plugin@0.1.0#describe") (result i32) (i32.const 1025))
