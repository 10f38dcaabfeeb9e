;; refused: wrap
;; without: memory realloc
;; A memory of 64 bits can't be guarded by address space alone.
(memory (export "memory") i64 2)
