;; refused: compile
;; says: 20000
;; Begins with a million functions.
(table 1000000 funcref)
