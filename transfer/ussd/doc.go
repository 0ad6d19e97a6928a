// Package ussd is the dialogue of the dialled code: menus, prompts and screens, in English and Korean. It is pure: a
// [Session] and an input give a [Turn], which is a screen for the handset or a [Want], something that must be done or
// looked up before there is a screen. The shell does it and goes on with [Dialogue.Resume].
//
// A session is a value that the shell stores between two inputs, so that any server can go on with it and a gateway that
// sends an input twice is shown the screen of the first ([Session.Input]). It never holds a PIN: whatever needs one gets
// it in the same turn.
//
// The reference under which a transfer is done is made of the session's key and the count of attempts. A server that
// died after the commit and before the session was stored is asked again with the same input, makes the same reference,
// and gets the first answer: the minutes move once. Each attempt after a wrong PIN is a new one.
//
// The menu is that of section 1.4 of spec/transfer. Every screen fits into 182 septets or 80 UCS-2 characters.
package ussd
