;; refused: exports
;; Has the right names and other types below them.
(component
  (core module $code (func (export "f") (result i32) (i32.const 0)))
  (core instance $core (instantiate $code))
  (func $f (result u32) (canon lift (core func $core "f")))
  (instance $about (export "describe" (func $f)))
  (instance $hook (export "on-request" (func $f)))
  (export "patchbay:plugin/plugin@0.1.0" (instance $about))
  (export "patchbay:plugin/request-hook@0.1.0" (instance $hook)))
