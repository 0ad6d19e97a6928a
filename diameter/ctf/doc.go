// Package ctf is a simulated switch: a charging trigger function (TS 32.299), the network's side of Gy/Ro. It opens a real
// Diameter connection, places calls on it, obeys the quota it is given, and tells of every message as a [Message].
//
// It encodes and decodes by itself and shares no line with the server, so that a mistake in one of them shows.
//
// A call takes no time unless asked to: the switch reports usage as if the seconds had passed. Any number of calls share a
// connection. The watchdog and the disconnect of the server are answered (RFC 6733 §5.4, §5.5); every other request of the
// server is answered 3001, since a simulated call runs to a plan that nothing from outside changes.
//
// Left out: Redirect and Restrict-Access final units end the call like Terminate, and octet quotas are not played.
package ctf
