;; What is fixed lies in the first page; the rest is handed out.
(memory $memory (export "memory") 2)
