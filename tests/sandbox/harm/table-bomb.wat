;; fault: memory
;; without: request
;; Makes its table longer for as long as it may.
(table $table 1 funcref)
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (loop $more
    (br_if $more
      (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
  unreachable)
