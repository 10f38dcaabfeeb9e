;; refused: describe
;; Never begins.
(func $loop (loop $again (br $again)))
(start $loop)
