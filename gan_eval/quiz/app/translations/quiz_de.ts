<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>quiz</name>
    <message>
      <source>Picture quiz</source>
      <comment>window_title</comment>
      <translation>Bilderquiz</translation>
    </message>
    <message>
      <source>real</source>
      <comment>answer_real</comment>
      <translation>echt</translation>
    </message>
    <message>
      <source>fake</source>
      <comment>answer_fake</comment>
      <translation>künstlich</translation>
    </message>
    <message>
      <source>left</source>
      <comment>answer_left</comment>
      <translation>links</translation>
    </message>
    <message>
      <source>right</source>
      <comment>answer_right</comment>
      <translation>rechts</translation>
    </message>
    <message>
      <source>first</source>
      <comment>answer_first</comment>
      <translation>zuerst</translation>
    </message>
    <message>
      <source>second</source>
      <comment>answer_second</comment>
      <translation>danach</translation>
    </message>
    <message>
      <source>.</source>
      <comment>decimal_point</comment>
      <translation>,</translation>
    </message>
    <message>
      <source>1 second</source>
      <comment>one_second</comment>
      <translation>1 Sekunde</translation>
    </message>
    <message>
      <source>{seconds} seconds</source>
      <comment>seconds</comment>
      <translation>{seconds} Sekunden</translation>
    </message>
    <message>
      <source>Real or fake?</source>
      <comment>welcome_title</comment>
      <translation>Echt oder künstlich?</translation>
    </message>
    <message>
      <source>Which one looks more real?</source>
      <comment>welcome_title_models</comment>
      <translation>Welches Bild sieht echter aus?</translation>
    </message>
    <message>
      <source>How real does it look?</source>
      <comment>welcome_title_rating</comment>
      <translation>Wie echt sieht es aus?</translation>
    </message>
    <message>
      <source>Participant {participant}</source>
      <comment>participant</comment>
      <translation>Teilnehmer {participant}</translation>
    </message>
    <message>
      <source>Welcome back: {done} of {trials} are done, the session continues from there.</source>
      <comment>welcome_back</comment>
      <translation>Willkommen zurück: {done} von {trials} sind geschafft, die Sitzung geht von dort weiter.</translation>
    </message>
    <message>
      <source>You will see {trials} pictures, one after the other. Some are real photographs; the others are fake: a computer generated them. For each one, press a key to say whether it is real or fake.</source>
      <comment>task_single</comment>
      <translation>Sie sehen {trials} Bilder, eines nach dem anderen. Manche sind echte Fotos; die anderen sind künstlich: Ein Computer hat sie erzeugt. Drücken Sie bei jedem Bild eine Taste, um zu sagen, ob es echt oder künstlich ist.</translation>
    </message>
    <message>
      <source>You will see {trials} pairs of pictures, side by side. One picture of each pair is a real photograph; the other is fake: a computer generated it. For each pair, press a key to say which one is real.</source>
      <comment>task_pair_side_by_side</comment>
      <translation>Sie sehen {trials} Bildpaare, jeweils nebeneinander. Ein Bild jedes Paares ist ein echtes Foto, das andere ist künstlich: Ein Computer hat es erzeugt. Drücken Sie bei jedem Paar eine Taste, um zu sagen, welches Bild echt ist.</translation>
    </message>
    <message>
      <source>You will see {trials} pairs of pictures, one picture after the other. One of each pair is a real photograph; the other is fake: a computer generated it. For each pair, press a key to say which one is real.</source>
      <comment>task_pair_one_after_other</comment>
      <translation>Sie sehen {trials} Bildpaare, jeweils ein Bild nach dem anderen. Ein Bild jedes Paares ist ein echtes Foto, das andere ist künstlich: Ein Computer hat es erzeugt. Drücken Sie bei jedem Paar eine Taste, um zu sagen, welches Bild echt ist.</translation>
    </message>
    <message>
      <source>You will see {trials} pairs of pictures, side by side. For each pair, press a key to say which one looks more real.</source>
      <comment>task_models_side_by_side</comment>
      <translation>Sie sehen {trials} Bildpaare, jeweils nebeneinander. Drücken Sie bei jedem Paar eine Taste, um zu sagen, welches Bild echter aussieht.</translation>
    </message>
    <message>
      <source>You will see {trials} pairs of pictures, one picture after the other. For each pair, press a key to say which one looks more real.</source>
      <comment>task_models_one_after_other</comment>
      <translation>Sie sehen {trials} Bildpaare, jeweils ein Bild nach dem anderen. Drücken Sie bei jedem Paar eine Taste, um zu sagen, welches Bild echter aussieht.</translation>
    </message>
    <message>
      <source>You will see {trials} pictures, one after the other. For each one, press a number key to say how real it looks, from 1 (not at all) to {grades} (entirely).</source>
      <comment>task_rating</comment>
      <translation>Sie sehen {trials} Bilder, eines nach dem anderen. Drücken Sie bei jedem eine Zifferntaste, um zu sagen, wie echt es aussieht, von 1 (gar nicht) bis {grades} (völlig).</translation>
    </message>
    <message>
      <source>Each picture stays until you answer, at most {window}.</source>
      <comment>time_until_answer</comment>
      <translation>Jedes Bild bleibt, bis Sie antworten, höchstens {window}.</translation>
    </message>
    <message>
      <source>Each pair stays until you answer, at most {window}.</source>
      <comment>time_until_answer_pair</comment>
      <translation>Jedes Paar bleibt, bis Sie antworten, höchstens {window}.</translation>
    </message>
    <message>
      <source>The pictures stay until you answer. Take the time you need.</source>
      <comment>time_until_answer_unlimited</comment>
      <translation>Die Bilder bleiben, bis Sie antworten. Nehmen Sie sich die Zeit, die Sie brauchen.</translation>
    </message>
    <message>
      <source>Each picture is visible for {exposure}. You can answer within {window} of its appearing.</source>
      <comment>time_flash</comment>
      <translation>Jedes Bild ist {exposure} lang zu sehen. Ab seinem Erscheinen haben Sie {window} Zeit für die Antwort.</translation>
    </message>
    <message>
      <source>Each pair is visible for {exposure}. You can answer within {window} of its appearing.</source>
      <comment>time_flash_pair</comment>
      <translation>Jedes Paar ist {exposure} lang zu sehen. Ab seinem Erscheinen haben Sie {window} Zeit für die Antwort.</translation>
    </message>
    <message>
      <source>Each picture is visible for {exposure}. You can answer within {window} of the second one's appearing.</source>
      <comment>time_flash_one_after_other</comment>
      <translation>Jedes Bild ist {exposure} lang zu sehen. Ab dem Erscheinen des zweiten haben Sie {window} Zeit für die Antwort.</translation>
    </message>
    <message>
      <source>The pictures are visible for {exposure}. Take the time you need for your answer.</source>
      <comment>time_flash_unlimited</comment>
      <translation>Die Bilder sind {exposure} lang zu sehen. Nehmen Sie sich für die Antwort die Zeit, die Sie brauchen.</translation>
    </message>
    <message>
      <source>Some pictures are visible for a short time only. You can answer within {window} of their appearing.</source>
      <comment>time_varies</comment>
      <translation>Manche Bilder sind nur kurz zu sehen. Ab ihrem Erscheinen haben Sie {window} Zeit für die Antwort.</translation>
    </message>
    <message>
      <source>Some pictures are visible for a short time only. Take the time you need for your answer.</source>
      <comment>time_varies_unlimited</comment>
      <translation>Manche Bilder sind nur kurz zu sehen. Nehmen Sie sich für die Antwort die Zeit, die Sie brauchen.</translation>
    </message>
    <message>
      <source>Each picture is visible for a short time, which changes from picture to picture. You can answer within {window} of its appearing.</source>
      <comment>time_adapts</comment>
      <translation>Jedes Bild ist nur kurz zu sehen, von Bild zu Bild verschieden lang. Ab seinem Erscheinen haben Sie {window} Zeit für die Antwort.</translation>
    </message>
    <message>
      <source>Each picture is visible for a short time, which changes from picture to picture. Take the time you need for your answer.</source>
      <comment>time_adapts_unlimited</comment>
      <translation>Jedes Bild ist nur kurz zu sehen, von Bild zu Bild verschieden lang. Nehmen Sie sich für die Antwort die Zeit, die Sie brauchen.</translation>
    </message>
    <message>
      <source>Judge as quickly and as well as you can. If you are not sure, guess.</source>
      <comment>judge_quickly</comment>
      <translation>Urteilen Sie so schnell und so gut Sie können. Wenn Sie unsicher sind, raten Sie.</translation>
    </message>
    <message>
      <source>Judge as well as you can. If you are not sure, guess.</source>
      <comment>judge_in_peace</comment>
      <translation>Urteilen Sie so gut Sie können. Wenn Sie unsicher sind, raten Sie.</translation>
    </message>
    <message>
      <source>After each answer, say how sure you are: a number key from 1 (a guess) to {levels} (certain).</source>
      <comment>confidence_task</comment>
      <translation>Sagen Sie nach jeder Antwort, wie sicher Sie sind: mit einer Zifferntaste von 1 (geraten) bis {levels} (ganz sicher).</translation>
    </message>
    <message>
      <source>Esc pauses the session.</source>
      <comment>escape_pauses</comment>
      <translation>Esc unterbricht die Sitzung.</translation>
    </message>
    <message>
      <source>Key {key}: {answer}</source>
      <comment>key_name</comment>
      <translation>Taste {key}: {answer}</translation>
    </message>
    <message>
      <source>not at all</source>
      <comment>grade_lowest</comment>
      <translation>gar nicht</translation>
    </message>
    <message>
      <source>entirely</source>
      <comment>grade_highest</comment>
      <translation>völlig</translation>
    </message>
    <message>
      <source>a guess</source>
      <comment>confidence_lowest</comment>
      <translation>geraten</translation>
    </message>
    <message>
      <source>certain</source>
      <comment>confidence_highest</comment>
      <translation>ganz sicher</translation>
    </message>
    <message>
      <source>Continue</source>
      <comment>go_on</comment>
      <translation>Weiter</translation>
    </message>
    <message>
      <source>Back</source>
      <comment>back</comment>
      <translation>Zurück</translation>
    </message>
    <message>
      <source>Exit</source>
      <comment>leave</comment>
      <translation>Beenden</translation>
    </message>
    <message>
      <source>Skip</source>
      <comment>skip</comment>
      <translation>Auslassen</translation>
    </message>
    <message>
      <source>Start</source>
      <comment>start</comment>
      <translation>Beginnen</translation>
    </message>
    <message>
      <source>Enter: continue    Esc: exit</source>
      <comment>hint_welcome</comment>
      <translation>Enter: weiter    Esc: beenden</translation>
    </message>
    <message>
      <source>Enter: continue    Esc: back</source>
      <comment>hint_step</comment>
      <translation>Enter: weiter    Esc: zurück</translation>
    </message>
    <message>
      <source>Continue the session</source>
      <comment>resume_title</comment>
      <translation>Sitzung fortsetzen</translation>
    </message>
    <message>
      <source>Are you the person who began this session?</source>
      <comment>resume_question_untimed</comment>
      <translation>Haben Sie diese Sitzung begonnen?</translation>
    </message>
    <message>
      <source>Are you the person who began at {time}?</source>
      <comment>resume_question</comment>
      <translation>Haben Sie diese Sitzung um {time} Uhr begonnen?</translation>
    </message>
    <message>
      <source>Are you the person who began at {time} on {date}?</source>
      <comment>resume_question_day</comment>
      <translation>Haben Sie diese Sitzung am {date} um {time} Uhr begonnen?</translation>
    </message>
    <message>
      <source>No, I am someone else</source>
      <comment>resume_no</comment>
      <translation>Nein, das war jemand anders</translation>
    </message>
    <message>
      <source>Consent</source>
      <comment>consent_title</comment>
      <translation>Einwilligung</translation>
    </message>
    <message>
      <source>You will judge pictures. Your answers and response times are stored under a pseudonym and used for research. You may stop at any time.</source>
      <comment>consent_text</comment>
      <translation>Sie werden Bilder beurteilen. Ihre Antworten und Antwortzeiten werden unter einem Pseudonym gespeichert und für die Forschung verwendet. Sie können jederzeit aufhören.</translation>
    </message>
    <message>
      <source>I have read this and I agree to take part.</source>
      <comment>consent_agree</comment>
      <translation>Ich habe dies gelesen und bin mit der Teilnahme einverstanden.</translation>
    </message>
    <message>
      <source>I do not agree</source>
      <comment>consent_refuse</comment>
      <translation>Nicht einverstanden</translation>
    </message>
    <message>
      <source>Space: tick the box    Enter: continue    Esc: back</source>
      <comment>hint_consent</comment>
      <translation>Leertaste: ankreuzen    Enter: weiter    Esc: zurück</translation>
    </message>
    <message>
      <source>Question {number} of {count}</source>
      <comment>question_title</comment>
      <translation>Frage {number} von {count}</translation>
    </message>
    <message>
      <source>You may leave this open.</source>
      <comment>question_optional</comment>
      <translation>Sie dürfen diese Frage offen lassen.</translation>
    </message>
    <message>
      <source>Please answer this question.</source>
      <comment>question_missing</comment>
      <translation>Bitte beantworten Sie diese Frage.</translation>
    </message>
    <message>
      <source>Number or arrow keys: choose    Enter: continue    Esc: back</source>
      <comment>hint_choices</comment>
      <translation>Ziffern- oder Pfeiltasten: wählen    Enter: weiter    Esc: zurück</translation>
    </message>
    <message>
      <source>The size of your screen</source>
      <comment>card_title</comment>
      <translation>Die Größe Ihres Bildschirms</translation>
    </message>
    <message>
      <source>Hold a bank card against the screen, on the frame below. Make the frame larger or smaller until it is exactly as wide as the card.</source>
      <comment>card_task</comment>
      <translation>Halten Sie eine Bankkarte auf den Rahmen auf dem Bildschirm. Machen Sie den Rahmen größer oder kleiner, bis er genau so breit ist wie die Karte.</translation>
    </message>
    <message>
      <source>Frame of a bank card, {width} pixels wide</source>
      <comment>card_name</comment>
      <translation>Rahmen einer Bankkarte, {width} Pixel breit</translation>
    </message>
    <message>
      <source>Smaller</source>
      <comment>card_smaller</comment>
      <translation>Kleiner</translation>
    </message>
    <message>
      <source>Larger</source>
      <comment>card_larger</comment>
      <translation>Größer</translation>
    </message>
    <message>
      <source>Arrow keys: size    Page Up, Page Down: in large steps    Enter: it fits    Esc: back</source>
      <comment>hint_card</comment>
      <translation>Pfeiltasten: Größe    Bild auf, Bild ab: in großen Schritten    Enter: es passt    Esc: zurück</translation>
    </message>
    <message>
      <source>Your distance from the screen</source>
      <comment>distance_title</comment>
      <translation>Ihr Abstand vom Bildschirm</translation>
    </message>
    <message>
      <source>Sit as you will sit during the session. How far are your eyes from the screen?</source>
      <comment>distance_task</comment>
      <translation>Sitzen Sie so, wie Sie während der Sitzung sitzen werden. Wie weit sind Ihre Augen vom Bildschirm entfernt?</translation>
    </message>
    <message>
      <source>centimetres</source>
      <comment>distance_unit</comment>
      <translation>Zentimeter</translation>
    </message>
    <message>
      <source>Please give a number from {least} to {most}.</source>
      <comment>distance_wrong</comment>
      <translation>Bitte geben Sie eine Zahl von {least} bis {most} an.</translation>
    </message>
    <message>
      <source>The size of this screen</source>
      <comment>size_title</comment>
      <translation>Die Größe dieses Bildschirms</translation>
    </message>
    <message>
      <source>Pictures are shown at a visual angle. Measure the width of the visible screen with a ruler, and the distance from the participant's eyes to it. This is asked once on this computer.</source>
      <comment>size_task</comment>
      <translation>Die Bilder werden unter einem Sehwinkel gezeigt. Messen Sie mit einem Lineal die Breite des sichtbaren Bildschirms und den Abstand von den Augen der teilnehmenden Person zum Bildschirm. Das wird auf diesem Computer nur einmal gefragt.</translation>
    </message>
    <message>
      <source>The screen itself states a width of {width} cm. That is often wrong: measure it.</source>
      <comment>size_claimed</comment>
      <translation>Der Bildschirm selbst gibt eine Breite von {width} cm an. Das ist oft falsch: Messen Sie nach.</translation>
    </message>
    <message>
      <source>Width of the screen</source>
      <comment>size_width</comment>
      <translation>Breite des Bildschirms</translation>
    </message>
    <message>
      <source>Viewing distance</source>
      <comment>size_distance</comment>
      <translation>Abstand zum Bildschirm</translation>
    </message>
    <message>
      <source>Hold a ruler to the bar: it must be {length} cm long. If not, correct the width of the screen.</source>
      <comment>size_ruler</comment>
      <translation>Halten Sie ein Lineal an den Balken: Er muss {length} cm lang sein. Wenn nicht, berichtigen Sie die Breite des Bildschirms.</translation>
    </message>
    <message>
      <source>Bar of {length} cm</source>
      <comment>size_ruler_name</comment>
      <translation>Balken von {length} cm</translation>
    </message>
    <message>
      <source>This page closes in {time} if no key is pressed.</source>
      <comment>size_closes</comment>
      <translation>Diese Seite schließt sich nach {time}, wenn niemand eine Taste drückt.</translation>
    </message>
    <message>
      <source>Please give a width from {least} to {most} and a distance from {nearest} to {farthest}.</source>
      <comment>size_wrong</comment>
      <translation>Bitte geben Sie eine Breite von {least} bis {most} und einen Abstand von {nearest} bis {farthest} an.</translation>
    </message>
    <message>
      <source>For the experimenter: the pictures are {width} pixels wide, the screen {screen}. To enlarge them, exit and set picture_size = {larger} in [quiz], or with --stimuli give --picture-size {larger}.</source>
      <comment>size_stamps</comment>
      <translation>Für die Versuchsleitung: Die Bilder sind {width} Pixel breit, der Bildschirm {screen}. Um sie zu vergrößern, beenden Sie und setzen Sie picture_size = {larger} in [quiz], oder geben Sie mit --stimuli --picture-size {larger} an.</translation>
    </message>
    <message>
      <source>Try your keys</source>
      <comment>keys_title</comment>
      <translation>Probieren Sie die Tasten aus</translation>
    </message>
    <message>
      <source>Press each of these keys once.</source>
      <comment>keys_text</comment>
      <translation>Drücken Sie jede dieser Tasten einmal.</translation>
    </message>
    <message>
      <source>These keys say how sure you are:</source>
      <comment>keys_confidence</comment>
      <translation>Diese Tasten sagen, wie sicher Sie sind:</translation>
    </message>
    <message>
      <source>{key} is not one of these keys.</source>
      <comment>keys_unknown</comment>
      <translation>{key} ist keine dieser Tasten.</translation>
    </message>
    <message>
      <source>All keys work.</source>
      <comment>keys_done</comment>
      <translation>Alle Tasten funktionieren.</translation>
    </message>
    <message>
      <source>If one of these keys does nothing, call the experimenter: the keyboard needs a layout that has the key, or the study needs other keys.</source>
      <comment>keys_help</comment>
      <translation>Wenn eine dieser Tasten nichts bewirkt, rufen Sie die Versuchsleitung: Die Tastatur braucht eine Belegung mit dieser Taste, oder die Studie braucht andere Tasten.</translation>
    </message>
    <message>
      <source>Ready?</source>
      <comment>ready_title</comment>
      <translation>Bereit?</translation>
    </message>
    <message>
      <source>Put your fingers on the keys.</source>
      <comment>ready_task</comment>
      <translation>Legen Sie die Finger auf die Tasten.</translation>
    </message>
    <message>
      <source>The first picture comes about a second after the start.</source>
      <comment>ready_text</comment>
      <translation>Das erste Bild kommt etwa eine Sekunde nach dem Beginn.</translation>
    </message>
    <message>
      <source>Practice</source>
      <comment>practice_title</comment>
      <translation>Übung</translation>
    </message>
    <message>
      <source>First comes practice ({practice} in all). After each answer you are told whether it is correct, and see what was shown once more. Practice does not count.</source>
      <comment>practice_text</comment>
      <translation>Zuerst wird geübt (insgesamt {practice}). Nach jeder Antwort erfahren Sie, ob sie stimmt, und sehen noch einmal, was gezeigt wurde. Die Übung zählt nicht.</translation>
    </message>
    <message>
      <source>First comes practice ({practice} in all). It does not count.</source>
      <comment>practice_text_untold</comment>
      <translation>Zuerst wird geübt (insgesamt {practice}). Die Übung zählt nicht.</translation>
    </message>
    <message>
      <source>Now it counts</source>
      <comment>counts_title</comment>
      <translation>Jetzt zählt es</translation>
    </message>
    <message>
      <source>The practice is over. From now on your answers count ({trials} in all), and you are not told whether they are correct.</source>
      <comment>counts_text</comment>
      <translation>Die Übung ist vorbei. Ab jetzt zählen Ihre Antworten (insgesamt {trials}), und Sie erfahren nicht, ob sie stimmen.</translation>
    </message>
    <message>
      <source>The practice is over. From now on your answers count ({trials} in all).</source>
      <comment>counts_text_untold</comment>
      <translation>Die Übung ist vorbei. Ab jetzt zählen Ihre Antworten (insgesamt {trials}).</translation>
    </message>
    <message>
      <source>Enter: start    Esc: back</source>
      <comment>hint_ready</comment>
      <translation>Enter: beginnen    Esc: zurück</translation>
    </message>
    <message>
      <source>Enter: start</source>
      <comment>hint_start</comment>
      <translation>Enter: beginnen</translation>
    </message>
    <message>
      <source>{number} of {trials}</source>
      <comment>progress</comment>
      <translation>{number} von {trials}</translation>
    </message>
    <message>
      <source>Practice: {number} of {trials}</source>
      <comment>practice_progress</comment>
      <translation>Übung: {number} von {trials}</translation>
    </message>
    <message>
      <source>{keys}</source>
      <comment>question_single</comment>
      <translation>{keys}</translation>
    </message>
    <message>
      <source>Which one is real?    {keys}</source>
      <comment>question_pair</comment>
      <translation>Welches Bild ist echt?    {keys}</translation>
    </message>
    <message>
      <source>Which one looks more real?    {keys}</source>
      <comment>question_models</comment>
      <translation>Welches Bild sieht echter aus?    {keys}</translation>
    </message>
    <message>
      <source>How real does it look?    {keys}</source>
      <comment>question_rating</comment>
      <translation>Wie echt sieht es aus?    {keys}</translation>
    </message>
    <message>
      <source>Correct</source>
      <comment>feedback_right</comment>
      <translation>Richtig</translation>
    </message>
    <message>
      <source>Wrong</source>
      <comment>feedback_wrong</comment>
      <translation>Falsch</translation>
    </message>
    <message>
      <source>No answer in time</source>
      <comment>feedback_none</comment>
      <translation>Keine Antwort in der Zeit</translation>
    </message>
    <message>
      <source>How sure are you?    {keys}</source>
      <comment>confidence_question</comment>
      <translation>Wie sicher sind Sie?    {keys}</translation>
    </message>
    <message>
      <source>A break</source>
      <comment>break_title</comment>
      <translation>Eine Pause</translation>
    </message>
    <message>
      <source>{done} of {trials} are done. Rest your eyes for a moment.</source>
      <comment>break_text</comment>
      <translation>{done} von {trials} sind geschafft. Ruhen Sie Ihre Augen einen Moment aus.</translation>
    </message>
    <message>
      <source>You can continue in {seconds} s.</source>
      <comment>break_wait</comment>
      <translation>In {seconds} s können Sie weitermachen.</translation>
    </message>
    <message>
      <source>Continue whenever you like.</source>
      <comment>break_over</comment>
      <translation>Machen Sie weiter, wann immer Sie möchten.</translation>
    </message>
    <message>
      <source>Pause</source>
      <comment>pause_title</comment>
      <translation>Unterbrechung</translation>
    </message>
    <message>
      <source>{done} of {trials} are done. All answers are stored. A picture that was on the screen just now does not come again.</source>
      <comment>pause_text</comment>
      <translation>{done} von {trials} sind geschafft. Alle Antworten sind gespeichert. Ein Bild, das gerade zu sehen war, kommt nicht noch einmal.</translation>
    </message>
    <message>
      <source>Take your time. After you continue, the next picture comes within a second or two.</source>
      <comment>pause_go_on</comment>
      <translation>Nehmen Sie sich Zeit. Wenn Sie weitermachen, kommt das nächste Bild nach ein bis zwei Sekunden.</translation>
    </message>
    <message>
      <source>The screen has changed. Please call the experimenter before you continue.</source>
      <comment>pause_screen</comment>
      <translation>Der Bildschirm hat sich geändert. Bitte rufen Sie die Versuchsleitung, bevor Sie weitermachen.</translation>
    </message>
    <message>
      <source>Withdraw</source>
      <comment>stop</comment>
      <translation>Zurücktreten</translation>
    </message>
    <message>
      <source>If you withdraw, your part ends: your answers so far are kept, but you cannot continue later. Press “{stop}” once more to withdraw.</source>
      <comment>stop_question</comment>
      <translation>Wenn Sie von der Teilnahme zurücktreten, ist sie zu Ende: Ihre bisherigen Antworten bleiben erhalten, aber Sie können später nicht weitermachen. Drücken Sie noch einmal „{stop}“, um zurückzutreten.</translation>
    </message>
    <message>
      <source>Save and quit</source>
      <comment>another_time</comment>
      <translation>Speichern und beenden</translation>
    </message>
    <message>
      <source>Esc: continue    Tab: next button    Enter: press the button</source>
      <comment>hint_pause</comment>
      <translation>Esc: weiter    Tab: nächster Knopf    Enter: Knopf drücken</translation>
    </message>
    <message>
      <source>Tab: next button    Enter: press the button</source>
      <comment>hint_buttons</comment>
      <translation>Tab: nächster Knopf    Enter: Knopf drücken</translation>
    </message>
    <message>
      <source>Please call the experimenter</source>
      <comment>problem_title</comment>
      <translation>Bitte rufen Sie die Versuchsleitung</translation>
    </message>
    <message>
      <source>The last answer could not be stored yet. It is kept until this works, and the session waits.</source>
      <comment>problem_unsaved</comment>
      <translation>Die letzte Antwort konnte noch nicht gespeichert werden. Sie wird behalten, bis es gelingt, und die Sitzung wartet.</translation>
    </message>
    <message>
      <source>The session cannot continue just now. All answers are stored.</source>
      <comment>problem_saved</comment>
      <translation>Die Sitzung kann gerade nicht weitergehen. Alle Antworten sind gespeichert.</translation>
    </message>
    <message>
      <source>All answers are stored, but not yet that the session is over.</source>
      <comment>problem_unended</comment>
      <translation>Alle Antworten sind gespeichert, aber noch nicht, dass die Sitzung zu Ende ist.</translation>
    </message>
    <message>
      <source>The store has not answered for {seconds} seconds.</source>
      <comment>problem_slow</comment>
      <translation>Die Ablage antwortet seit {seconds} Sekunden nicht.</translation>
    </message>
    <message>
      <source>Try again</source>
      <comment>try_again</comment>
      <translation>Noch einmal versuchen</translation>
    </message>
    <message>
      <source>Exit without the last answer</source>
      <comment>leave_without</comment>
      <translation>Ohne die letzte Antwort beenden</translation>
    </message>
    <message>
      <source>Thank you</source>
      <comment>end_title</comment>
      <translation>Danke</translation>
    </message>
    <message>
      <source>The session is complete and all answers are stored.</source>
      <comment>end_text</comment>
      <translation>Die Sitzung ist abgeschlossen, und alle Antworten sind gespeichert.</translation>
    </message>
    <message>
      <source>Real photographs</source>
      <comment>group_real</comment>
      <translation>Echte Fotos</translation>
    </message>
    <message>
      <source>Fake pictures</source>
      <comment>group_fake</comment>
      <translation>Künstliche Bilder</translation>
    </message>
    <message>
      <source>Pairs</source>
      <comment>group_pairs</comment>
      <translation>Paare</translation>
    </message>
    <message>
      <source>{group}, to check attention</source>
      <comment>group_catch</comment>
      <translation>{group}, zur Prüfung der Aufmerksamkeit</translation>
    </message>
    <message>
      <source>{group} ({dataset})</source>
      <comment>group_dataset</comment>
      <translation>{group} ({dataset})</translation>
    </message>
    <message>
      <source>{model} rather than {against}</source>
      <comment>group_models</comment>
      <translation>{model} statt {against}</translation>
    </message>
    <message>
      <source>{correct} of {shown} correct</source>
      <comment>score_correct</comment>
      <translation>{correct} von {shown} richtig</translation>
    </message>
    <message>
      <source>mean grade {mean}</source>
      <comment>score_rating</comment>
      <translation>mittlere Note {mean}</translation>
    </message>
    <message>
      <source>chosen in {chosen} of {shown}</source>
      <comment>score_chosen</comment>
      <translation>in {chosen} von {shown} gewählt</translation>
    </message>
    <message>
      <source>{count} without an answer</source>
      <comment>score_unanswered</comment>
      <translation>{count} ohne Antwort</translation>
    </message>
    <message>
      <source>Exposure at which about {percent} % of your answers are right</source>
      <comment>threshold</comment>
      <translation>Anzeigedauer, bei der etwa {percent} % Ihrer Antworten richtig sind</translation>
    </message>
    <message>
      <source>{milliseconds} ms</source>
      <comment>threshold_value</comment>
      <translation>{milliseconds} ms</translation>
    </message>
    <message>
      <source>not determined</source>
      <comment>threshold_unknown</comment>
      <translation>nicht bestimmt</translation>
    </message>
    <message>
      <source>at a limit of what was shown</source>
      <comment>threshold_limit</comment>
      <translation>am Rand dessen, was gezeigt wurde</translation>
    </message>
    <message>
      <source>Your answers, one by one</source>
      <comment>review_title</comment>
      <translation>Ihre Antworten, eine nach der anderen</translation>
    </message>
    <message>
      <source>No. {number}</source>
      <comment>review_number</comment>
      <translation>Nr. {number}</translation>
    </message>
    <message>
      <source>Practice, no. {number}</source>
      <comment>review_practice</comment>
      <translation>Übung, Nr. {number}</translation>
    </message>
    <message>
      <source>No. {number} (to check attention)</source>
      <comment>review_catch</comment>
      <translation>Nr. {number} (zur Prüfung der Aufmerksamkeit)</translation>
    </message>
    <message>
      <source>truth: {truth}</source>
      <comment>review_truth</comment>
      <translation>Wahrheit: {truth}</translation>
    </message>
    <message>
      <source>your answer: {answer}</source>
      <comment>review_answer</comment>
      <translation>Ihre Antwort: {answer}</translation>
    </message>
    <message>
      <source>your grade: {answer}</source>
      <comment>review_grade</comment>
      <translation>Ihre Note: {answer}</translation>
    </message>
    <message>
      <source>how sure: {confidence}</source>
      <comment>review_confidence</comment>
      <translation>wie sicher: {confidence}</translation>
    </message>
    <message>
      <source>✓ correct</source>
      <comment>review_right</comment>
      <translation>✓ richtig</translation>
    </message>
    <message>
      <source>✗ wrong</source>
      <comment>review_wrong</comment>
      <translation>✗ falsch</translation>
    </message>
    <message>
      <source>– no answer</source>
      <comment>review_none</comment>
      <translation>– keine Antwort</translation>
    </message>
    <message>
      <source>after {seconds} s</source>
      <comment>review_time</comment>
      <translation>nach {seconds} s</translation>
    </message>
    <message>
      <source>input</source>
      <comment>picture_label</comment>
      <translation>Eingabe</translation>
    </message>
    <message>
      <source>real</source>
      <comment>picture_real</comment>
      <translation>echt</translation>
    </message>
    <message>
      <source>fake</source>
      <comment>picture_fake</comment>
      <translation>künstlich</translation>
    </message>
    <message>
      <source>▲ {picture} (shown)</source>
      <comment>picture_shown</comment>
      <translation>▲ {picture} (gezeigt)</translation>
    </message>
    <message>
      <source>▲ {picture} (chosen)</source>
      <comment>picture_chosen</comment>
      <translation>▲ {picture} (gewählt)</translation>
    </message>
    <message>
      <source>none</source>
      <comment>picture_missing</comment>
      <translation>keines</translation>
    </message>
    <message>
      <source>Show only</source>
      <comment>filter_name</comment>
      <translation>Nur zeigen</translation>
    </message>
    <message>
      <source>All ({count})</source>
      <comment>filter_all</comment>
      <translation>Alle ({count})</translation>
    </message>
    <message>
      <source>Wrong ({count})</source>
      <comment>filter_wrong</comment>
      <translation>Falsche ({count})</translation>
    </message>
    <message>
      <source>Fakes ({count})</source>
      <comment>filter_fakes</comment>
      <translation>Künstliche ({count})</translation>
    </message>
    <message>
      <source>Reals ({count})</source>
      <comment>filter_reals</comment>
      <translation>Echte ({count})</translation>
    </message>
    <message>
      <source>Unanswered ({count})</source>
      <comment>filter_unanswered</comment>
      <translation>Ohne Antwort ({count})</translation>
    </message>
    <message>
      <source>Practice ({count})</source>
      <comment>filter_practice</comment>
      <translation>Übung ({count})</translation>
    </message>
    <message>
      <source>{percent} % of the pixels' size</source>
      <comment>viewer_size</comment>
      <translation>{percent} % der Pixelgröße</translation>
    </message>
    <message>
      <source>Enter: exit</source>
      <comment>hint_end</comment>
      <translation>Enter: beenden</translation>
    </message>
    <message>
      <source>Arrow keys: move    Enter: enlarge    Number keys: show only some    Tab, Enter: exit</source>
      <comment>hint_review</comment>
      <translation>Pfeiltasten: bewegen    Enter: vergrößern    Zifferntasten: nur manche zeigen    Tab, Enter: beenden</translation>
    </message>
    <message>
      <source>Left, Right: the one before, the next    Esc: back to the list</source>
      <comment>hint_viewer</comment>
      <translation>Links, Rechts: voriges, nächstes    Esc: zurück zur Liste</translation>
    </message>
  </context>
</TS>
