;; id "harm", version "0.1.0", a transform, no summary, options "{}", and no more.
(data (i32.const 2048) "harm0.1.0{}")
(data (i32.const 1024)
  "\00\08\00\00\04\00\00\00" "\04\08\00\00\05\00\00\00" "\01\00\00\00" "\00\00\00\00\00\00\00\00"
  "\09\08\00\00\02\00\00\00")
(func (export "patchbay:plugin/plugin@0.1.0#describe") (result i32) (i32.const 1024))
