;; refused: compile
;; Unwinds through the host's frames.
(tag $thrown)
(func (throw $thrown))
