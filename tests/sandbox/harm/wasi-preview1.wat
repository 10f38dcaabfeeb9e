;; refused: wrap
;; says: wasi_snapshot_preview1
;; Built for a command line.
(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
