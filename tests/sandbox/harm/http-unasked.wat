;; serves
;; without: request
;; Calls `http` without having said that it wants to: denied, or it traps. The request is `get`,
;; the URL is behind the first byte, and all that follows is empty.
(import "patchbay:plugin/http@0.1.0" "fetch" (func $fetch (param i32 i32)))
(data (i32.const 8192) "\00\00\00\00\00\21\00\00\14\00\00\00")
(data (i32.const 8448) "http://example.com/a")
(func (export "patchbay:plugin/request-hook@0.1.0#on-request") (param i32) (result i32)
  (call $drop_generation (i32.load (local.get 0)))
  (call $fetch (i32.const 8192) (i32.const 12288))
  ;; An error, and the first kind of it: denied.
  (if (i32.ne (i32.load8_u (i32.const 12288)) (i32.const 1)) (then unreachable))
  (if (i32.ne (i32.load8_u (i32.const 12292)) (i32.const 0)) (then unreachable))
  (i32.const 4096))
