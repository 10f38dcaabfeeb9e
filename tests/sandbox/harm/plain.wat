;; serves
;; The parts alone are a plugin. What else is in a file here is what makes it harmful.
