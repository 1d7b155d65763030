package h1

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpu is the time of this process, both the client's and the server's.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCall asks a server that costs the same whoever asks.
func BenchmarkCall(b *testing.B) {
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 28 Nov 2026 07:00:00 GMT\r\nContent-Length: 600\r\n\r\n" + strings.Repeat("a", 600)
	for _, length := range []int{1 << 10, 1 << 20} {
		for _, name := range []string{"h1", "net/http"} {
			b.Run(fmt.Sprintf("%s/%d", name, length), func(b *testing.B) {
				s := serve(b, func(c net.Conn, _ *http.Request) { io.WriteString(c, answer) })
				rt := clients(b)[name] // closed before the server
				r := post(b, s.url(), strings.Repeat("a", length))
				room := make([]byte, 4<<10)
				b.ReportAllocs()
				began := cpu()
				for b.Loop() {
					r.Body = NewBody(r.Body.(*Body).text)
					res, err := rt.RoundTrip(r)
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = res.Body.Read(room)
					}
					res.Body.Close()
					Recycle(res)
				}
				b.ReportMetric(float64(cpu()-began)/float64(b.N)/1e3, "CPU-µs/op")
			})
		}
	}
}
