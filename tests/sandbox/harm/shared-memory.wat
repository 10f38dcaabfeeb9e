;; refused: wrap
;; without: memory
;; A memory that threads share.
(memory $memory (export "memory") 2 2 shared)
