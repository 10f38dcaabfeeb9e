;; fault: timeout
;; says: cpu_ms
;; without: memory request
;; Spends its time within single instructions, where nothing looks at the clock.
(memory $memory (export "memory") 512)
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (loop $again
    (memory.fill (i32.const 65536) (i32.const 1) (i32.const 0x1f00000))
    (br $again))
  (i32.const 4096))
