;; refused: imports
;; says: patchbay:plugin/http
;; Would go round the egress gate.
(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))
