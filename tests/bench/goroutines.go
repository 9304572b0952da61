// What fiber.cpp measures, with goroutines on one CPU: goroutines WHAT writes nanoseconds for each.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

func yields() int {
	const goroutines, each = 10, 100000
	var all sync.WaitGroup
	all.Add(goroutines)
	for g := 0; g < goroutines; g++ {
		go func() {
			for i := 0; i < each; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	return goroutines * each
}

func spawns() int {
	const count = 200000
	for i := 0; i < count; i++ {
		done := make(chan struct{})
		go close(done)
		<-done
	}
	return count
}

func locks() int {
	const each = 200000
	var lock sync.Mutex
	var both sync.WaitGroup
	both.Add(2)
	for g := 0; g < 2; g++ {
		go func() {
			for i := 0; i < each; i++ {
				lock.Lock()
				runtime.Gosched()
				lock.Unlock()
				runtime.Gosched()
			}
			both.Done()
		}()
	}
	both.Wait()
	return 2 * each
}

func transfers(capacity int) int {
	const count = 500000
	items := make(chan int, capacity)
	go func() {
		for i := 0; i < count; i++ {
			items <- i
		}
	}()
	for i := 0; i < count; i++ {
		<-items
	}
	return count
}

func pingPong() int {
	const count = 250000
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < count; i++ {
			<-there
			back <- i
		}
	}()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	return 2 * count
}

func main() {
	runtime.GOMAXPROCS(1)
	measures := map[string]func() int{
		"yield":        yields,
		"spawn":        spawns,
		"lock":         locks,
		"ping-pong":    pingPong,
		"transfer-0":   func() int { return transfers(0) },
		"transfer-1":   func() int { return transfers(1) },
		"transfer-100": func() int { return transfers(100) },
	}
	if len(os.Args) != 2 || measures[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: goroutines WHAT, where WHAT is one of those in its source")
		os.Exit(2)
	}
	begin := time.Now()
	count := measures[os.Args[1]]()
	fmt.Println(float64(time.Since(begin).Nanoseconds()) / float64(count))
}
