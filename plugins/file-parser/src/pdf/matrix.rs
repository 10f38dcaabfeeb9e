//! The affine maps of PDF's coordinate systems.

/// `[a b c d e f]` as PDF writes it: `x' = ax + cy + e`, `y' = bx + dy + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Matrix {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
    f: f64,
}

/// A place on the page, or the way from one place to another, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Matrix {
    pub(crate) const IDENTITY: Self = Self::new([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(crate) const fn new([a, b, c, d, e, f]: [f64; 6]) -> Self {
        Self { a, b, c, d, e, f }
    }

    pub(crate) const fn translation(x: f64, y: f64) -> Self {
        Self::new([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First `self`, then `outer`.
    pub(crate) fn then(self, outer: Self) -> Self {
        Self {
            a: self.a * outer.a + self.b * outer.c,
            b: self.a * outer.b + self.b * outer.d,
            c: self.c * outer.a + self.d * outer.c,
            d: self.c * outer.b + self.d * outer.d,
            e: self.e * outer.a + self.f * outer.c + outer.e,
            f: self.e * outer.b + self.f * outer.d + outer.f,
        }
    }

    /// Where a place goes.
    pub(crate) fn place(self, x: f64, y: f64) -> Point {
        let way = self.way(x, y);
        Point { x: way.x + self.e, y: way.y + self.f }
    }

    /// What becomes of a way, which no translation changes.
    pub(crate) fn way(self, x: f64, y: f64) -> Point {
        Point { x: self.a * x + self.c * y, y: self.b * x + self.d * y }
    }
}

impl Point {
    /// A way's length.
    pub(crate) fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    /// The way from here to `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { x: other.x - self.x, y: other.y - self.y }
    }

    /// The way's part along a unit vector.
    pub(crate) fn along(self, unit: Self) -> f64 {
        self.x * unit.x + self.y * unit.y
    }

    /// The way's part across a unit vector, positive to its left.
    pub(crate) fn across(self, unit: Self) -> f64 {
        unit.x * self.y - unit.y * self.x
    }

    /// The unit vector of this way; none for no way at all.
    pub(crate) fn unit(self) -> Option<Self> {
        let length = self.length();
        (length.is_normal()).then(|| Self { x: self.x / length, y: self.y / length })
    }
}
