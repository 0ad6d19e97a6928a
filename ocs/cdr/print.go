package cdr

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A print stands for the key of a record in a run. Half of the records of a run would have to be forged to make two alike
// by chance; it is cut from SHA-256 so that nobody who chooses Session-Ids can make them alike either.
type print uint64

const printSize = 8

// printer makes prints, with one buffer for all of them.
type printer struct{ buffer []byte }

// of returns the print of a record. kind tells records apart that one posting makes.
func (p *printer) of(k postgres.ExportKey, kind Kind) print {
	b := p.buffer[:0]
	b = strconv.AppendInt(b, k.At.UnixMicro(), 10)
	for _, text := range []string{string(k.Subscriber), k.ID, k.Sub, string(kind)} {
		b = append(b, 0)
		b = append(b, text...)
	}
	if kind == "" { // of a posting the leg is not part of its name
		b = strconv.AppendInt(append(b, 0), int64(k.Number), 10)
	}
	p.buffer = b
	sum := sha256.Sum256(b)
	return print(binary.BigEndian.Uint64(sum[:printSize]))
}

// prints are those of a run, in its order.
type prints []byte

func (p prints) with(one print) prints { return binary.BigEndian.AppendUint64(p, uint64(one)) }

func (p prints) len() int { return len(p) / printSize }

func (p prints) at(i int) print { return print(binary.BigEndian.Uint64(p[i*printSize:])) }
