;; fault: timeout
;; says: cpu_ms
;; without: request
;; Runs for ever without a loop and without a stack.
(func $again (return_call $again))
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $again) (i32.const 4096))
