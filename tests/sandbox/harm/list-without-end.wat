;; fault: trap
;; without: request
;; Rejects with two thousand million fields, which would lie behind the end of its memory.
(data (i32.const 4096)
  "\00\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00"
  "\93\01\00\00" "\00\00\00\00\00\00\00\00" "\00\20\00\00\ff\ff\ff\7f")
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $drop_generation (i32.load (local.get 0)))
  (i32.const 4096))
