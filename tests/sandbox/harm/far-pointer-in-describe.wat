;; refused: describe
;; without: describe
;; Its description lies behind the end of its memory.
(func (export "patchbay:plugin/plugin@0.1.0#describe") (result i32) (i32.const -16))
