;; fault: trap
;; without: request
;; Gives back what it never had.
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $drop_generation (i32.const 999))
  (i32.const 4096))
