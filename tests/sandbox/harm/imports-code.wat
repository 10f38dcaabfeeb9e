;; refused: imports
;; Asks the host for code to run.
(component (import "code" (core module)))
