;; refused: compile
;; Waits for another thread, which no clock of ours could end.
(func (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
