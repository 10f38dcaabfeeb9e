;; Lets the request pass: all zeros say so.
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $drop_generation (i32.load (local.get 0)))
  (i32.const 4096))
