// Package dictionaries tells Diameter programs which AVPs and commands there are: what package diameter reads and writes,
// and whatever else clients are known to put into a Credit-Control-Request.
//
// dictionary.txt is the master. The other files are made from it by go generate, and a test fails when they are older:
//
//	gyro.xml       go-diameter, what the server itself loads; see [Parser]
//	gyro.dia       Erlang/OTP diameter
//	wireshark.xml  Wireshark, in the place of its diameter/Custom.xml
package dictionaries

//go:generate go run ./internal/generate
