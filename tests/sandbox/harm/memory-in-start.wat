;; refused: describe
;; Takes all memory before anybody has asked it anything.
(func $eat
  (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  unreachable)
(start $eat)
