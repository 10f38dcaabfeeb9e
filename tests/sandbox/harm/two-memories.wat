;; refused: resources
;; says: memories
;; A second memory would be outside what the limit counts.
(memory $second 1)
