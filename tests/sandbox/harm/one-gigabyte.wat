;; fault: limit
;; says: call_bytes
;; without: memory request
;; Rejects with a thousand fields, all of them the same million bytes: little in its memory, a
;; gigabyte in the host's.
(memory $memory (export "memory") 64)
(data (i32.const 4096)
  "\00\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00"
  "\93\01\00\00" "\00\00\00\00\00\00\00\00" "\00\00\30\00\e8\03\00\00")
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (local $at i32)
  (call $drop_generation (i32.load (local.get 0)))
  (local.set $at (i32.const 0x300000))
  (loop $more
    (i32.store (local.get $at) (i32.const 0x100000))
    (i32.store offset=4 (local.get $at) (i32.const 1))
    (i32.store offset=8 (local.get $at) (i32.const 0x100000))
    (i32.store offset=12 (local.get $at) (i32.const 0x100000))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if $more (i32.lt_u (local.get $at) (i32.const 0x303e80))))
  (i32.const 4096))
