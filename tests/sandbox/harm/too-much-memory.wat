;; refused: resources
;; says: bytes of memory
;; without: memory
;; Begins with four gigabytes.
(memory $memory (export "memory") 65536)
