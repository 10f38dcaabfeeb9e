;; fault: trap
;; without: realloc
;; Has the host write behind the end of its memory.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const -4096))
