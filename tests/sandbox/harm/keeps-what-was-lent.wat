;; fault: trap
;; without: request
;; Keeps the generation that it was lent, to look at it when another one runs.
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (i32.const 4096))
