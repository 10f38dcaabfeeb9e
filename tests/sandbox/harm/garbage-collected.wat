;; refused: compile
;; Objects that the host would have to collect.
(type $box (struct (field i32)))
(func (drop (struct.new $box (i32.const 1))))
