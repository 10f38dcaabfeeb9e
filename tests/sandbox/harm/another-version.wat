;; refused: imports
;; Asks for an interface in a version that is not there.
(component (import "patchbay:plugin/log@0.9.0" (instance)))
