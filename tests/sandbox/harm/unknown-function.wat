;; refused: wrap
;; says: env
;; Imports what a program of the host's language would.
(import "env" "system" (func (param i32)))
