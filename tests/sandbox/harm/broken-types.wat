;; refused: wrap
;; Says what it is in a section that is noise.
(module (@custom "component-type:harm" "\00\61\73\6d\0d\00\01\00\ff\ff\ff\ff\ff noise"))
