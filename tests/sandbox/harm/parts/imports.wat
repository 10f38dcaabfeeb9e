(import "patchbay:plugin/context@0.1.0" "[resource-drop]generation"
  (func $drop_generation (param i32)))
