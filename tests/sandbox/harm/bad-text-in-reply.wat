;; fault: trap
;; without: request
;; Rejects with a message that is no UTF-8.
(data (i32.const 4096)
  "\00\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00"
  "\93\01\00\00" "\00\20\00\00\04\00\00\00")
(data (i32.const 8192) "a\ff\feb")
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $drop_generation (i32.load (local.get 0)))
  (i32.const 4096))
