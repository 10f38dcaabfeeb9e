;; refused: imports
;; says: patchbay:plugin
;; Asks for what nobody here offers.
(component (import "acme:shell/run@1.0.0" (instance)))
