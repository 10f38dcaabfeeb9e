//! Words that speak for a task, with points: in English, German, French, Spanish, Portuguese,
//! Italian, Russian, Chinese and Japanese. To add a language, add its words to the lines.

use super::Task;

/// Task, points of each, and the words or phrases in small letters, between commas.
pub(super) const CUES: &[(Task, u32, &str)] = &[
    (
        Task::Coding,
        3,
        "python, javascript, typescript, rust, java, c++, c#, golang, kotlin, swift, php, ruby, \
         haskell, sql, html, css, bash, regex, react, django, kubernetes, docker, dockerfile, git, api, \
         unit test, unit tests, stack trace, refactor, refactore, debug, compile, compiler, \
         codebase, pull request, npm, cargo, programmiere, programmieren, programmer, programar, \
         код, программу, функцию, コード, プログラム, 代码, 编程, 函数",
    ),
    (
        Task::Coding,
        2,
        "code, function, funktion, fonction, función, função, funzione, class, bug, script, skript, \
         algorithm, algorithmus, algorithme, algoritmo, variable, endpoint, backend, frontend, \
         database, datenbank, query, syntax, implement, implementiere, implementa, implémente",
    ),
    (
        Task::Math,
        3,
        "equation, gleichung, équation, ecuación, equação, equazione, integral, derivative, \
         ableitung, dérivée, derivada, matrix, matrice, matriz, theorem, satz von, théorème, \
         teorema, prove that, beweise, démontre, demuestra, probability, wahrscheinlichkeit, \
         probabilité, probabilidad, polynomial, polynom, prime number, primzahl, eigenvalue, \
         geometry, geometrie, algebra, calculus, уравнение, интеграл, докажи, 方程, 积分, 证明, 微分, \
         方程式, 積分, 証明",
    ),
    (
        Task::Math,
        2,
        "calculate, compute, berechne, calcule, calcula, calcola, solve, löse, résous, resuelve, \
         вычисли, реши, 计算, 計算, sum of, summe, percent, prozent, pourcent",
    ),
    (
        Task::Reasoning,
        3,
        "step by step, schritt für schritt, étape par étape, paso a paso, passo a passo, logic \
         puzzle, riddle, rätsel, énigme, acertijo, think carefully, denk genau nach, trade offs, \
         tradeoffs, pros and cons, vor und nachteile, strategy, strategie, stratégie, estrategia, \
         root cause, deduce, пошагово, загадка, 推理, 一步一步, 逻辑, 論理, ステップ",
    ),
    (
        Task::Reasoning,
        2,
        "analyze, analyse, analysiere, analiza, analizza, compare, vergleiche, comparez, compara, \
         evaluate, bewerte, évalue, evalúa, plan, plane, design, why, warum, pourquoi, \
         почему, 为什么, 分析, なぜ",
    ),
    (
        Task::Translation,
        6,
        "translate, translation, übersetze, übersetzen, übersetzung, traduis, traduire, traduction, \
         traduce, traducir, traducción, traduza, traduzir, tradução, traduci, traduzione, переведи, \
         перевод, 翻译, 翻譯, 翻訳",
    ),
    (
        Task::Translation,
        2,
        "into german, into french, into spanish, into english, into japanese, into chinese, \
         to german, to french, to spanish, to english, ins deutsche, ins englische, auf deutsch, \
         auf englisch, en français, en anglais, al español, al inglés",
    ),
    (
        Task::Summarization,
        6,
        "summarize, summarise, summary, tldr, tl dr, key points, fasse zusammen, zusammenfassung, \
         zusammenfassen, zusammen, résume, résumer, résumé, resume, resumir, resumen, resumo, \
         riassumi, riassunto, кратко изложи, резюме, 总结, 摘要, 概括, 要約, まとめて",
    ),
    (
        Task::Extraction,
        5,
        "extract, pull out, extrahiere, extrais, extraire, extrae, extraer, extrai, estrai, извлеки, 提取, 抽出, \
         classify, klassifiziere, classifie, clasifica, categorize, kategorisiere, label each, \
         sentiment, named entities",
    ),
    (
        Task::Extraction,
        2,
        "as json, als json, en json, json schema, csv, as a table, als tabelle, en tableau, fields",
    ),
    (
        Task::Vision,
        3,
        "image, picture, photo, screenshot, bild, foto, imagen, imagem, immagine, chart, diagram, \
         diagramm, ocr, картинка, фото, 图片, 图像, 写真, 画像",
    ),
    (
        Task::Writing,
        4,
        "essay, poem, gedicht, poème, poema, poesia, story, geschichte, histoire, historia, cuento, \
         racconto, blog post, blogpost, article, artikel, novel, lyrics, haiku, speech, slogan, slogans, poems, stories, \
         cover letter, bewerbung, newsletter, press release, стихотворение, рассказ, эссе, 诗, 故事, \
         作文, 文章, 詩, 小説",
    ),
    (
        Task::Writing,
        2,
        "write, schreibe, schreib, verfasse, écris, rédige, escribe, redacta, escreva, scrivi, \
         rewrite, rephrase, formuliere, proofread, edit, tone, email, mail, letter, brief an, напиши, \
         写, 書いて",
    ),
    (
        Task::Roleplay,
        6,
        "roleplay, role play, rollenspiel, you are a character, stay in character, in character, act \
         as, pretend to be, spiele die rolle, jeu de rôle, juego de rol, сыграй роль, 角色扮演, \
         ロールプレイ",
    ),
    (
        Task::Question,
        1,
        "is it, can i, what is, what are, who is, who was, when did, where is, how many, how much, how does, was ist, \
         wer ist, wann, wo ist, wie viele, wie funktioniert, qu est ce, qui est, quand, combien, qué \
         es, quién, cuándo, cuántos, o que é, che cosa, что такое, кто такой, 什么是, 是什么, 谁是, 多少, とは, \
         何ですか, explain, erkläre, explique, explica, spiega, объясни, 解释, 説明",
    ),
];
