// What bare/fetch.cpp does, with goroutines on one CPU: fetches URL COUNT.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	runtime.GOMAXPROCS(1)
	count, _ := strconv.Atoi(os.Args[2])
	begin := time.Now()
	var failed atomic.Int32
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			defer all.Done()
			answer, err := http.Get(os.Args[1])
			if err != nil {
				failed.Add(1)
				return
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != 200 || len(body) != 10000 {
				failed.Add(1)
			}
		}()
	}
	all.Wait()
	if failed.Load() != 0 {
		os.Exit(1)
	}
	fmt.Println(time.Since(begin).Microseconds())
}
