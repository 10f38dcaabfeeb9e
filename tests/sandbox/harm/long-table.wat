;; refused: resources
;; says: table entries
;; Begins with a million functions.
(table 1000000 funcref)
