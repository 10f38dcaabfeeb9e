//! Runs a page's drawing instructions as far as text and pictures are concerned.

use super::budget::{Budget, decode};
use super::fonts::{Fonts, TextFont};
use super::layers::Layers;
use super::matrix::{Matrix, Point};
use super::pieces::{Piece, Pieces, Placed};
use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction as Op;
use hayro_syntax::object::{Array, Dict, Name, Number, Object, Rect, Stream, String as Text};
use hayro_syntax::page::Resources;
use std::rc::Rc;

/// What one page draws.
pub(crate) struct Content<'d, 'a> {
    fonts: &'d mut Fonts<'a>,
    layers: &'d Layers,
    budget: &'d mut Budget,
    pieces: Pieces,
    pictures: Vec<Stream<'a>>,
    state: State<'a>,
    saved: Vec<State<'a>>,
    /// Of the text object: where the next glyph goes, and where the line began.
    glyph: Matrix,
    line: Matrix,
    marks: Vec<Mark>,
    depth: usize,
    /// Whether a glyph was placed.
    has_text: bool,
}

#[derive(Clone)]
struct State<'a> {
    page: Matrix,
    font: Option<Rc<TextFont<'a>>>,
    size: f64,
    character_space: f64,
    word_space: f64,
    /// 1 for what PDF calls 100.
    stretch: f64,
    leading: f64,
    rise: f64,
}

/// Marked content: shown or not, and perhaps with a text that stands for what is drawn.
enum Mark {
    Shown,
    Hidden,
    Replaced { text: String, is_said: bool },
}

impl<'d, 'a> Content<'d, 'a> {
    pub(crate) fn new(
        fonts: &'d mut Fonts<'a>,
        layers: &'d Layers,
        budget: &'d mut Budget,
    ) -> Self {
        Self {
            fonts,
            layers,
            budget,
            pieces: Pieces::default(),
            pictures: Vec::new(),
            state: State::new(),
            saved: Vec::new(),
            glyph: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            marks: Vec::new(),
            depth: 0,
            has_text: false,
        }
    }

    /// Runs instructions.
    pub(crate) fn run(&mut self, instructions: &[u8], resources: &Resources<'a>) {
        let (saved, marks) = (self.saved.len(), self.marks.len());
        let mut ops = TypedIter::new(instructions);
        while let Some(op) = ops.next() {
            if !self.budget.spend_instruction() {
                break;
            }
            self.step(&op, resources, saved);
        }
        if let Some(state) = self.saved.get(saved).cloned() {
            self.state = state;
        }
        self.saved.truncate(saved);
        self.marks.truncate(marks);
    }

    /// Runs a form: instructions with a coordinate system and resources of their own.
    pub(crate) fn form(&mut self, form: &Stream<'a>, outer: Matrix, resources: &Resources<'a>) {
        if self.depth >= DEPTH_MAX || !self.layers.shows(form.dict()) {
            return;
        }
        let Some(instructions) = decode(form, self.budget) else { return };
        let matrix = form.dict().get::<[f64; 6]>(b"Matrix").map_or(Matrix::IDENTITY, Matrix::new);
        let own = form.dict().get::<Dict<'a>>(b"Resources").map(Resources::new);
        let (glyph, line) = (self.glyph, self.line);
        let before = self.state.clone();
        self.state.page = matrix.then(outer);
        self.depth += 1;
        self.run(&instructions, own.as_ref().unwrap_or(resources));
        self.depth -= 1;
        self.state = before;
        (self.glyph, self.line) = (glyph, line);
    }

    /// Runs a form, and writes the text from its place's top left corner if the form draws none.
    pub(crate) fn form_of(&mut self, form: &Stream<'a>, outer: Matrix, text: &str, place: &Rect) {
        let had_text = std::mem::take(&mut self.has_text);
        self.form(form, outer, &Resources::new(Dict::empty()));
        if !self.has_text {
            let size = (place.y1 - place.y0).min(FIELD_SIZE);
            let mut y = place.y1 - size;
            for line in text.split(['\r', '\n']) {
                self.write(line, Point { x: place.x0, y }, size);
                y -= size;
            }
        }
        self.has_text |= had_text;
    }

    fn write(&mut self, line: &str, mut origin: Point, size: f64) {
        let (advance, direction) = (Point { x: size / 2.0, y: 0.0 }, Point { x: 1.0, y: 0.0 });
        for character in line.chars() {
            if !self.budget.spend_glyph() {
                return;
            }
            let mut bytes = [0; 4];
            let text = &*character.encode_utf8(&mut bytes);
            self.pieces.push(&Placed { text, origin, advance, direction, size });
            origin.x += advance.x;
        }
    }

    /// What was drawn: the pieces of text, and the pictures.
    pub(crate) fn finish(self) -> (Vec<Piece>, Vec<Stream<'a>>) {
        (self.pieces.into_vec(), self.pictures)
    }

    fn step(&mut self, op: &Op<'_, '_>, resources: &Resources<'a>, saved: usize) {
        match op {
            Op::SaveState(_) if self.saved.len() < SAVED_MAX => {
                self.saved.push(self.state.clone());
            }
            Op::RestoreState(_) if self.saved.len() > saved => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            Op::Transform(m) => {
                let matrix = matrix([m.0, m.1, m.2, m.3, m.4, m.5]);
                self.state.page = matrix.then(self.state.page);
            }
            Op::SetGraphicsState(name) => self.graphics_state(name.0, resources),
            Op::XObject(name) => self.object(name.0, resources),
            Op::BeginMarkedContent(_) => self.marks.push(Mark::Shown),
            Op::BeginMarkedContentWithProperties(mark) => {
                let mark = self.mark(mark.0, mark.1, resources);
                self.marks.push(mark);
            }
            Op::EndMarkedContent(_) => drop(self.marks.pop()),
            other => self.text_step(other, resources),
        }
    }

    fn text_step(&mut self, op: &Op<'_, '_>, resources: &Resources<'a>) {
        match op {
            Op::BeginText(_) => self.set_line(Matrix::IDENTITY),
            Op::CharacterSpacing(space) => self.state.character_space = space.0.as_f64(),
            Op::WordSpacing(space) => self.state.word_space = space.0.as_f64(),
            Op::HorizontalScaling(percent) => self.state.stretch = percent.0.as_f64() / 100.0,
            Op::TextLeading(leading) => self.state.leading = leading.0.as_f64(),
            Op::TextRise(rise) => self.state.rise = rise.0.as_f64(),
            Op::TextFont(font) => {
                self.state.font = self.fonts.find(resources, font.0);
                self.state.size = font.1.as_f64();
            }
            Op::NextLine(to) => self.next_line(to.0.as_f64(), to.1.as_f64()),
            Op::NextLineAndSetLeading(to) => {
                self.state.leading = -to.1.as_f64();
                self.next_line(to.0.as_f64(), to.1.as_f64());
            }
            Op::SetTextMatrix(m) => self.set_line(matrix([m.0, m.1, m.2, m.3, m.4, m.5])),
            Op::NextLineUsingLeading(_) => self.next_line(0.0, -self.state.leading),
            Op::ShowText(text) => self.show(text.0),
            Op::NextLineAndShowText(text) => {
                self.next_line(0.0, -self.state.leading);
                self.show(text.0);
            }
            Op::ShowTextWithParameters(text) => {
                self.state.word_space = text.0.as_f64();
                self.state.character_space = text.1.as_f64();
                self.next_line(0.0, -self.state.leading);
                self.show(text.2);
            }
            Op::ShowTexts(texts) => self.show_all(texts.0),
            _ => {}
        }
    }

    fn set_line(&mut self, matrix: Matrix) {
        self.line = matrix;
        self.glyph = matrix;
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.set_line(Matrix::translation(x, y).then(self.line));
    }

    fn show_all(&mut self, texts: &Array<'_>) {
        for item in texts.iter::<Object<'_>>() {
            match item {
                Object::String(text) => self.show(&text),
                Object::Number(number) => {
                    let is_horizontal =
                        self.state.font.as_ref().is_none_or(|font| font.is_horizontal());
                    let way = -number.as_f64() / 1000.0 * self.state.size;
                    self.advance(way, is_horizontal);
                }
                _ => {}
            }
        }
    }

    fn advance(&mut self, way: f64, is_horizontal: bool) {
        let step = if is_horizontal {
            Matrix::translation(way * self.state.stretch, 0.0)
        } else {
            Matrix::translation(0.0, way)
        };
        self.glyph = step.then(self.glyph);
    }

    fn show(&mut self, text: &Text<'_>) {
        let Some(font) = self.state.font.clone() else { return };
        let bytes = text.as_bytes();
        let is_horizontal = font.is_horizontal();
        let mut offset = 0;
        while let Some(code) = font.code(bytes, offset) {
            if !self.budget.spend_glyph() {
                return;
            }
            offset += code.length;
            let state = &self.state;
            let mut way = code.advance * state.size + state.character_space;
            if code.is_space {
                way += state.word_space;
            }
            self.place(&code.text, way, is_horizontal);
            self.advance(way, is_horizontal);
        }
    }

    /// Gives a glyph to the pieces, if it is shown.
    fn place(&mut self, text: &str, way: f64, is_horizontal: bool) {
        let replaced;
        let text = match self.marks.iter_mut().rev().find(|mark| !matches!(mark, Mark::Shown)) {
            None => text,
            Some(Mark::Replaced { text, is_said: false }) => {
                replaced = std::mem::take(text);
                &replaced
            }
            Some(_) => return,
        };
        for mark in &mut self.marks {
            if let Mark::Replaced { is_said, .. } = mark {
                *is_said = true;
            }
        }
        let matrix = self.glyph.then(self.state.page);
        let size = self.state.size;
        let (advance, line, height) = if is_horizontal {
            let stretch = self.state.stretch;
            (matrix.way(way * stretch, 0.0), matrix.way(size * stretch, 0.0), matrix.way(0.0, size))
        } else {
            (matrix.way(0.0, way), matrix.way(0.0, -size), matrix.way(size, 0.0))
        };
        let Some(direction) = line.unit() else { return };
        self.has_text |= !text.trim().is_empty();
        self.pieces.push(&Placed {
            text,
            origin: matrix.place(0.0, self.state.rise),
            advance,
            direction,
            size: height.length(),
        });
    }

    fn graphics_state(&mut self, name: &Name<'_>, resources: &Resources<'a>) {
        let Some(dict) = resources.get_ext_g_state(name) else { return };
        let Some(font) = dict.get::<Array<'a>>(b"Font") else { return };
        let mut items = font.flex_iter();
        let dict = items.next::<Dict<'a>>();
        let size = items.next::<Number>();
        if let Some((dict, size)) = dict.zip(size) {
            self.state.font = self.fonts.read(dict);
            self.state.size = size.as_f64();
        }
    }

    fn object(&mut self, name: &Name<'_>, resources: &Resources<'a>) {
        let Some(object) = resources.get_x_object(name) else { return };
        match object.dict().get::<Name<'_>>(b"Subtype").as_deref() {
            Some(b"Form") => self.form(&object, self.state.page, resources),
            Some(b"Image") => {
                let unit = self.state.page.way(1.0, 0.0).length();
                let height = self.state.page.way(0.0, 1.0).length();
                if unit.min(height) >= PICTURE_MIN && self.layers.shows(object.dict()) {
                    self.pictures.push(object);
                }
            }
            _ => {}
        }
    }

    fn mark(&self, tag: &Name<'_>, properties: &Object<'_>, resources: &Resources<'a>) -> Mark {
        let text = match properties {
            Object::Dict(dict) => dict.get::<Text<'_>>(b"ActualText"),
            Object::Name(name) => {
                if tag.as_ref() == b"OC" && self.layers.hides(resources.properties.get_ref(name)) {
                    return Mark::Hidden;
                }
                let dict = resources.properties.get::<Dict<'a>>(name);
                dict.and_then(|dict| dict.get::<Text<'_>>(b"ActualText"))
            }
            _ => None,
        };
        match text {
            Some(text) => {
                Mark::Replaced { text: super::text::decode(text.as_bytes()), is_said: false }
            }
            None => Mark::Shown,
        }
    }
}

impl State<'_> {
    fn new() -> Self {
        Self {
            page: Matrix::IDENTITY,
            font: None,
            size: 0.0,
            character_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        }
    }
}

fn matrix(numbers: [Number; 6]) -> Matrix {
    Matrix::new(numbers.map(|number| number.as_f64()))
}

/// Forms within forms.
const DEPTH_MAX: usize = 16;

/// States saved at once.
const SAVED_MAX: usize = 256;

/// The size in points of a text that a field holds and does not draw.
const FIELD_SIZE: f64 = 12.0;

/// The side in points below which a picture is an ornament.
const PICTURE_MIN: f64 = 24.0;
