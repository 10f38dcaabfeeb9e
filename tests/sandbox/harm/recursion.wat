;; fault: stack
;; without: request
;; Two functions that call each other.
(func $a (call $b)) (func $b (call $a) (call $a))
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $a) (i32.const 4096))
