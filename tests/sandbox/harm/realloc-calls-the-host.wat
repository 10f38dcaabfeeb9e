;; fault: trap
;; without: realloc
;; Calls the host while the host asks it for room.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (call $drop_generation (i32.const 1)) (i32.const 65536))
