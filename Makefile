# rt: a bare concurrency runtime for Linux. One file builds everything; `make help` lists what.

.DEFAULT_GOAL := apps
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
# As many jobs as there are CPUs, unless the user says another number, or wants something built after `clean`.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS))$(filter clean distclean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

HOST := $(shell uname -m)
CPUS := $(patsubst arch/%/flags.mk,%,$(wildcard arch/*/flags.mk))

#: CPU to build for: x86_64, aarch64 or riscv64
ARCH ?= $(HOST)
ifeq ($(filter $(ARCH),$(CPUS)),)
$(error ARCH=$(ARCH) is none of the CPUs that rt knows: $(CPUS))
endif
#: prefix of the compiler and binutils, such as aarch64-linux-gnu-
CROSS_COMPILE ?= $(if $(filter-out $(HOST),$(ARCH)),$(ARCH)-linux-gnu-)
#: C++ compiler: g++ 12 or later, clang++ 14 or later with lld
ifeq ($(origin CXX),default)
CXX := $(CROSS_COMPILE)g++
endif
#: bare: programs without libc; hosted: an ordinary library for programs of glibc
PROFILE ?= bare
#: 1: no optimisation, checks of the heap
DEBUG ?= 0
#: 1: show each command
V ?= 0
#: factor on all sleeps of the apps in `make run`
TIME_SCALE ?= 0.2
#: where everything built goes
BUILD ?= build/$(ARCH)
#: the app of `make qemu`, `make image` and `make container`; none: the tour
APP ?=
#: arguments of the app
ARGS ?=
#: CPUs of the virtual machine
SMP ?= 2
#: kernel of one's own for the virtual machine; in `make test` KERNEL_x86_64, KERNEL_aarch64, KERNEL_riscv64
KERNEL ?= $(KERNEL_$(ARCH))
#: CPUs whose virtual machines `make test` starts
MACHINES ?= $(CPUS)
#: port on which `make qemu-gdb` waits for the debugger
GDB_PORT ?= 1234

VARIANT    := $(PROFILE)$(if $(filter 1,$(DEBUG)),-debug)
BARE_BUILD := $(BUILD)/bare$(if $(filter 1,$(DEBUG)),-debug)
Q          := $(if $(filter 1,$(V)),,@)
say         = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)' &&)

, := ,

# --- Flags -----------------------------------------------------------------------------------------------------------

include arch/$(ARCH)/flags.mk

DIALECT   := -std=c++20 -fno-exceptions -fno-rtti -fno-omit-frame-pointer
CXXFLAGS  := $(DIALECT) -g -Wall -Wextra -Werror -Winvalid-pch -I$(BUILD)/include -I. -MMD -MP
BARE      := -fpie -ffunction-sections -fdata-sections -fvisibility=hidden -fstack-protector-strong \
             -fno-asynchronous-unwind-tables -U_FORTIFY_SOURCE $(ARCH_FLAGS)
HOSTED    := -DRT_HOSTED=1 -pthread -frtti
BARE_LINK := -static-pie -nostdlib -nostartfiles -Wl,--gc-sections -Wl,-z,nostart-stop-gc -Wl,-z,noexecstack -Wl,-z,norelro \
             -Wl,--no-dynamic-linker -Wl,--build-id=none $(ARCH_LINK_FLAGS)
LINK      := $(BARE_LINK) -Wl,-T,linker/bare.ld -Wl,--fatal-warnings

# What one compiler needs and the other does not: clang is told the CPU and goes with lld, which is told to leave
# constants in the segment of the code.
for_compiler = $(if $(findstring clang,$(1)),$(2),$(3))
cxx          = $(1) $(call for_compiler,$(1),$(ARCH_CLANG_FLAGS),$(if $(filter bare,$(2)),$(ARCH_GCC_FLAGS)))
linker       = $(call for_compiler,$(1),-fuse-ld=lld -Wl$(,)--no-rosegment,-fuse-ld=bfd)

# --- Sources ---------------------------------------------------------------------------------------------------------

LIBRARY      := $(wildcard rt/*/*.cpp)
RT_bare      := $(filter-out %_hosted.cpp,$(LIBRARY)) $(wildcard arch/$(ARCH)/*.S)
RT_hosted    := $(filter-out rt/start/% %_bare.cpp rt/memory/new.cpp,$(LIBRARY)) arch/$(ARCH)/switch.S
APPS         := $(basename $(notdir $(wildcard apps/*.cpp)))
UNIT_TESTS   := $(wildcard tests/unit/*.cpp)
BARE_TESTS   := $(basename $(notdir $(wildcard tests/bare/*.cpp)))
E2E_TESTS    := $(wildcard tests/e2e/*.cpp)
E2E_PROGRAMS := $(patsubst %.cpp,$(BUILD)/bare/%,$(wildcard tests/e2e/programs/*.cpp))
STRESS_TESTS := $(wildcard tests/stress/*.cpp)
OBJECTS       =

# Ends make if there is no such app.
demand_app = $(if $(filter-out $(APPS),$(1)),$(error there is no app '$(1)'; the apps are: $(APPS)))

# --- The library, in each variant ------------------------------------------------------------------------------------
# $(1) name, $(2) bare or hosted, $(3) compiler, $(4) flags, $(5) flags that come last, $(6) sources if not all
#
# A variant in JOINED is for tests only. It compiles each folder of rt/ as one source, in a third of the time, and some
# tests at once; that each file of rt/ stands on its own is seen where the others are built. Some variants join only the
# folders of which they link the whole: by clang, what the smallest programs consist of is not joined. The model's are
# apart, as `make mutants` compiles one of them with a mistake.

JOINED   := bare-debug hosted-debug hosted-joined hosted-address hosted-thread
folders   = $(patsubst %/,%,$(sort $(dir $(1))))
PARTLY_JOINED_bare-clang  := rt/hub/% rt/io/% rt/process/%
PARTLY_JOINED_hosted-fuzz := rt/base/% rt/kernel/% rt/memory/% rt/process/%
joined    = $(filter $(if $(filter $(1),$(JOINED)),rt/%,$(PARTLY_JOINED_$(1))),$(2))
units     = $(call folders,$(call joined,$(1),$(2))) $(basename $(filter-out $(call joined,$(1),$(2)),$(2)))

# So that a source that has gone is missed, they are listed each time; what is as before keeps its time.
when_changed = >$@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

define joined_folder
$(BUILD)/$(1)/$(2).cpp: always
	@mkdir -p $$(@D) && printf '#include <%s>\n' $(3) $$(when_changed)
endef

# The checks of each access to memory are for the runtime: in the tests' own code they take a third of the time.
FLAGS_OF_TESTS := -fexceptions -O0 -g1 -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS \
                  -fno-sanitize=null$(,)alignment$(,)vptr$(,)object-size

# The standard library's headers that most sources include cost more than the rest of most sources: they are read once
# for each set of flags in a variant, which is named after the level of optimisation. `hosted`, which the measurements
# use, does without, so that a source that has forgotten a header is seen there.

STANDARD_HEADERS       := algorithm array atomic bit chrono compare concepts cstddef cstdint cstring deque functional memory \
                          mutex new optional span string string_view tuple type_traits utility vector
PRECOMPILED_bare       := Os Oz O2
PRECOMPILED_bare-debug := Os
PRECOMPILED_bare-clang := Os Oz O2
PRECOMPILED_hosted-fuzz    := Oz O2
PRECOMPILED_hosted-joined  := tests
PRECOMPILED_hosted-address := tests
PRECOMPILED_hosted-thread  := tests
precompiled = $(patsubst %,$(BUILD)/$(1)/standard/%.hpp,$(PRECOMPILED_$(1)))

define variant
$(1)_OBJECTS := $(patsubst %,$(BUILD)/$(1)/%.o,$(call units,$(1),$(or $(6),$(RT_$(2)))))
OBJECTS += $$($(1)_OBJECTS)
$(foreach folder,$(call folders,$(call joined,$(1),$(or $(6),$(RT_$(2))))),
$(call joined_folder,$(1),$(folder),$(filter $(folder)/%,$(or $(6),$(RT_$(2))))))

$(BUILD)/$(1)/librt.a: $$($(1)_OBJECTS)
	$$(call say,AR,$$@) rm -f $$@ && $(CROSS_COMPILE)ar rcsD $$@ $$^

$(1)_COMPILE = $(call cxx,$(3),$(2)) $(CXXFLAGS) $(4) $$(OPTIMIZE) $(5) $$(EXTRA_FLAGS)

$(BUILD)/$(1)/%.o: %.cpp arch/$(ARCH)/flags.mk | $(BUILD)/include/arch $(BUILD)/tools/$(if $(filter %-clang,$(1)),test,build) $(call precompiled,$(1))
	@mkdir -p $$(@D)
	$$(call say,CXX,$$@) $$($(1)_COMPILE) \
	  $$(addprefix -include ,$$(filter %/$$(STANDARD).hpp,$(call precompiled,$(1)))) -c $$< -o $$@

$(BUILD)/$(1)/%.o: $(BUILD)/$(1)/%.cpp arch/$(ARCH)/flags.mk | $(BUILD)/include/arch $(BUILD)/tools/build $(call precompiled,$(1))
	$$(call say,CXX,$$@) $$($(1)_COMPILE) \
	  $$(addprefix -include ,$$(filter %/$$(STANDARD).hpp,$(call precompiled,$(1)))) -c $$< -o $$@

$(BUILD)/$(1)/standard/%.hpp: Makefile arch/$(ARCH)/flags.mk | $(BUILD)/include/arch $(BUILD)/tools/$(if $(filter %-clang,$(1)),test,build)
	@mkdir -p $$(@D) && printf '#include <%s>\n' $(STANDARD_HEADERS) >$$@
	$$(call say,CXX,$$@) $$($(1)_COMPILE) -x c++-header $$@ -o $$@.gch

$(BUILD)/$(1)/%.o: %.S | $(BUILD)/tools/$(if $(filter %-clang,$(1)),test,build)
	@mkdir -p $$(@D)
	$$(call say,AS,$$@) $(call cxx,$(3),$(2)) -g -MMD -MP -c $$< -o $$@

$(BUILD)/$(1)/%: STANDARD = $$(patsubst -%,%,$$(firstword $$(OPTIMIZE)))
$(BUILD)/$(1)/rt/start/cxx_throw.o: STANDARD = none
$(BUILD)/$(1)/standard/%.hpp: OPTIMIZE = -$$*
$(BUILD)/$(1)/standard/Oz.hpp: OPTIMIZE = -Oz $(UNPROTECTED)
$(BUILD)/$(1)/standard/tests.hpp: OPTIMIZE = -Os
$(BUILD)/$(1)/standard/tests.hpp: private EXTRA_FLAGS = $(FLAGS_OF_TESTS)
$(BUILD)/$(1)/%: OPTIMIZE = -Os
$(BUILD)/$(1)/rt/%: OPTIMIZE = -O2
$(foreach part,$(WAITING),$(BUILD)/$(1)/rt/$(part): OPTIMIZE = -Oz
$(BUILD)/$(1)/rt/$(part): STANDARD = none
)$(foreach part,$(IN_EVERY_PROGRAM),$(BUILD)/$(1)/rt/$(part): OPTIMIZE = -Oz $(UNPROTECTED)
)$(if $(filter bare,$(2)),$(BUILD)/$(1)/tests/bare/%: private EXTRA_FLAGS = -g1)
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/%: private EXTRA_FLAGS = $(FLAGS_OF_TESTS))
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/%: private STANDARD = tests)
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/bench/%: private EXTRA_FLAGS = -fexceptions -O2)
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/bench/%: private STANDARD = none)
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/unit/shared_kill_test.o: private EXTRA_FLAGS = -fexceptions -O2 -g1)
$(if $(filter hosted,$(2)),$(BUILD)/$(1)/tests/unit/shared_kill_test.o: private STANDARD = none)
endef

# The library is optimised for speed, but for size in what the smallest programs consist of, and in what waits for a disk
# or a name server anyway. The few arrays on stacks in the former are written through Output, which checks bounds: no
# canary is needed.
IN_EVERY_PROGRAM := base% kernel% start% thread% memory/stack.% memory/cxx_%
WAITING          := io/aio% io/dns_% io/resolver%
UNPROTECTED      := -fno-stack-protector
DEBUG_FLAGS      := -Og -DRT_DEBUG=1
$(eval $(call variant,bare,bare,$(CXX),$(BARE)))
$(eval $(call variant,bare-debug,bare,$(CXX),$(BARE),$(DEBUG_FLAGS)))
# Of another CPU by clang only what may depend on it: the time goes into what is tested.
$(eval $(call variant,bare-clang,bare,clang++,$(BARE),-g1,$(if $(CROSS_COMPILE),$(filter-out rt/io/% rt/process/%,$(RT_bare)))))
$(eval $(call variant,hosted,hosted,$(CXX),$(HOSTED),-g1))
$(eval $(call variant,hosted-debug,hosted,$(CXX),$(HOSTED),$(DEBUG_FLAGS)))
$(eval $(call variant,hosted-joined,hosted,$(CXX),$(HOSTED),-g1))
$(eval $(call variant,hosted-address,hosted,$(CXX),$(HOSTED),$(DEBUG_FLAGS) -g1 -fsanitize=address$(,)undefined))
$(eval $(call variant,hosted-thread,hosted,$(CXX),$(HOSTED),-O1 -g1 -fsanitize=thread))

# The sources under test on a simulated machine, whose CPU is tests/model/arch (see tests/model/machine.hpp). Plain data
# is watched through the hooks of -fsanitize=thread; its run-time library is not linked.
RT_model := $(filter-out %/thread_report.cpp %/robust.cpp %/shared_wait.cpp,$(filter rt/sync/%.cpp,$(LIBRARY))) \
            $(filter-out %/report.cpp %/watchdog.cpp,$(wildcard rt/hub/*.cpp)) \
            $(addprefix rt/kernel/,clock.cpp cpus.cpp vdso.cpp) arch/$(ARCH)/switch.S \
            $(addprefix rt/base/,$(addsuffix .cpp,digits error format format_integer format_text registry result task))
MODEL_MACHINE := $(filter-out %_test.cpp,$(wildcard tests/model/*.cpp))
MODEL_TESTS   := $(wildcard tests/model/*_test.cpp)
WATCHED       := -O1 -fsanitize=thread
MODEL_FLAGS   := -DRT_HOSTED=1 -DRT_MODEL_ATOMIC=model::Atomic -include tests/model/atomic.hpp -pthread -frtti
$(eval $(call variant,model,model,$(CXX) $$(MODEL_CPU),$(MODEL_FLAGS)))
$(BUILD)/model/%: MODEL_CPU = -Itests/model
$(BUILD)/model/tests/model/machine.o: MODEL_CPU =
$(BUILD)/model/tests/%: private EXTRA_FLAGS = -fexceptions -O2
$(BUILD)/model/tests/main.o: private EXTRA_FLAGS = -fexceptions -O0
$(BUILD)/model/rt/%: EXTRA_FLAGS = $(WATCHED)
$(BUILD)/model/tests/model/%_test.o: EXTRA_FLAGS = -fexceptions $(WATCHED) -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS

# A directory that holds this CPU's headers under the name that all code uses, <arch/...>.
$(BUILD)/include/arch:
	@mkdir -p $(@D) && ln -sfn $(CURDIR)/arch/$(ARCH) $@

# --- musl's pure functions -------------------------------------------------------------------------------------------

$(BUILD)/libmusl-pure.a: rt/start/musl-pure.list rt/start/musl.sh rt/start/libgcc.sh arch/$(ARCH)/flags.mk | $(BUILD)/tools/build
	@mkdir -p $(@D)
	$(call say,MUSL,$@) rt/start/musl.sh $(ARCH) '$(CROSS_COMPILE)' '$(ARCH_MUSL_FLAGS)' $@

# --- Programs of the bare profile ------------------------------------------------------------------------------------
# NAME has symbols and line numbers for the debugger and addr2line; NAME.stripped is what one ships; NAME.map says
# where each byte comes from; NAME.asm, of apps, is the disassembly with the source.

# The smallest programs do without crash reports.
SMALLEST := hello hello_thread

link_bare = $(call say,LINK,$@) $(call cxx,$(1)) $(call linker,$(1)) $(LINK) -Wl,-Map=$@.map \
              $(if $(filter $(SMALLEST),$(@F)),,-Wl,-u,rt_report_crashes) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -lgcc \
              -Wl,--end-group -o $@ && \
            linker/strip.sh '$(CROSS_COMPILE)' $@ $@.stripped \
              $(if $(findstring /apps/,$@),&& $(CROSS_COMPILE)objdump -dS --no-show-raw-insn $(ARCH_DISASSEMBLY) $@ > $@.asm)

define bare_programs
$(BUILD)/$(1)/apps/%: $(BUILD)/$(1)/apps/%.o $(BUILD)/$(1)/librt.a $(BUILD)/libmusl-pure.a linker/bare.ld linker/strip.sh
	$$(call link_bare,$(2))
$(BUILD)/$(1)/tests/%: $(BUILD)/$(1)/tests/%.o $(BUILD)/$(1)/librt.a $(BUILD)/libmusl-pure.a linker/bare.ld linker/strip.sh
	$$(call link_bare,$(2))
OBJECTS += $(patsubst %,$(BUILD)/$(1)/apps/%.o,$(APPS)) $(patsubst %,$(BUILD)/$(1)/tests/bare/%.o,$(BARE_TESTS))
endef
$(foreach v,bare bare-debug,$(eval $(call bare_programs,$(v),$(CXX))))
$(eval $(call bare_programs,bare-clang,clang++))

# The same apps as ordinary programs, for debuggers and sanitizers.
define hosted_programs
$(BUILD)/$(1)/apps/%: $(BUILD)/$(1)/apps/%.o $(BUILD)/$(1)/librt.a
	$$(call say,LINK,$$@) $(CXX) -pthread $$^ -o $$@ && $(CROSS_COMPILE)objcopy --strip-all $$@ $$@.stripped
OBJECTS += $(patsubst %,$(BUILD)/$(1)/apps/%.o,$(APPS))
endef
$(foreach v,hosted hosted-debug,$(eval $(call hosted_programs,$(v))))

# --- Tests -----------------------------------------------------------------------------------------------------------
# $(1) variant, $(2) name of the program, $(3) its sources, $(4) flags for linking
#
# A variant in JOINED compiles several of them at once, each in a namespace of its own: with so many templates that takes
# much less time. What adds to other namespaces stands alone.

ALONE    := $(shell grep -lE '^namespace [a-z:]+ {|TYPE_TO_STRING' tests/unit/*.cpp tests/stress/*.cpp tests/e2e/*.cpp) \
            tests/unit/shared_kill_test.cpp
PARTS    := 1-9 10-18 19-27 28-36 37-45 46-54 55-63 64-72 73-999
part      = $(wordlist $(firstword $(subst -, ,$(1))),$(lastword $(subst -, ,$(1))),$(2))
parts_of  = $(foreach p,$(PARTS),$(if $(call part,$(p),$(1)),$(p)))
together  = $(if $(filter $(1),$(JOINED)),$(filter-out $(ALONE),$(2)))

define joined_tests
$(BUILD)/$(1)/tests/$(2).cpp: always
	@mkdir -p $$(@D) && tests/join.sh $(3) $$(when_changed)
endef

define hosted_test
$(foreach p,$(call parts_of,$(call together,$(1),$(3))),
$(call joined_tests,$(1),$(2)-$(p),$(call part,$(p),$(call together,$(1),$(3)))))
$(1)_$(2)_OBJECTS := $(patsubst %.cpp,$(BUILD)/$(1)/%.o,tests/main.cpp $(filter-out $(call together,$(1),$(3)),$(3))) \
                     $(patsubst %,$(BUILD)/$(1)/tests/$(2)-%.o,$(call parts_of,$(call together,$(1),$(3))))
$(BUILD)/$(1)/$(2)-tests: $$($(1)_$(2)_OBJECTS) $(BUILD)/$(1)/librt.a
	$$(call say,LINK,$$@) $(CXX) -pthread $(4) $$^ -o $$@
OBJECTS += $$($(1)_$(2)_OBJECTS)
TESTS   += $(BUILD)/$(1)/$(2)-tests
$$($(1)_$(2)_OBJECTS): | $(BUILD)/tools/test
endef

# To kill a process after each of its instructions is done without a sanitizer, which adds many of its own.
SANITIZED_TESTS := $(filter-out %/shared_kill_test.cpp,$(UNIT_TESTS))

TESTS :=
$(eval $(call hosted_test,hosted-joined,unit,$(UNIT_TESTS)))
$(eval $(call hosted_test,hosted-address,unit,$(SANITIZED_TESTS),-fsanitize=address$(,)undefined))
$(eval $(call hosted_test,hosted-thread,unit,$(SANITIZED_TESTS),-fsanitize=thread))
$(eval $(call hosted_test,hosted-thread,stress,$(STRESS_TESTS),-fsanitize=thread))
# By `make stress` only.
$(eval $(call hosted_test,hosted-address,stress,$(STRESS_TESTS),-fsanitize=address$(,)undefined))
TESTS := $(filter-out $(BUILD)/hosted-address/stress-tests,$(TESTS))
TESTS += $(foreach v,bare bare-debug bare-clang,$(patsubst %,$(BUILD)/$(v)/tests/bare/%,$(BARE_TESTS)))
$(eval $(call hosted_test,hosted-joined,e2e,$(E2E_TESTS)))

# The unit tests run in two parts: to start a process costs the kernel a copy of the page tables of all that the tests
# before it have used, with ThreadSanitizer a quarter of a second. Some of them run again, by the other engine of a hub.
PROCESS_TESTS := *connection*,*manager*,*pool*,*process*,*shared*
define unit_test_parts
$(BUILD)/$(1)/unit-tests-of-processes: $(BUILD)/$(1)/unit-tests
	$(Q)printf '#!/bin/sh\nexec %s "--source-file=%s" "$$$$@"\n' $$< '$(PROCESS_TESTS)' >$$@ && chmod 755 $$@
$(BUILD)/$(1)/unit-tests-of-the-rest: $(BUILD)/$(1)/unit-tests
	$(Q)printf '#!/bin/sh\nexec %s "--source-file-exclude=%s" "$$$$@"\n' $$< '$(PROCESS_TESTS)' >$$@ && chmod 755 $$@
$(BUILD)/$(1)/unit-tests-by-io_uring: $(BUILD)/$(1)/unit-tests tests/io_uring.sh
	$(Q)printf '#!/bin/sh\nexec tests/io_uring.sh %s "$$$$@"\n' $$< >$$@ && chmod 755 $$@
TESTS := $$(filter-out $(BUILD)/$(1)/unit-tests,$$(TESTS)) $(patsubst %,$(BUILD)/$(1)/unit-tests-%,of-processes of-the-rest by-io_uring)
endef
$(foreach v,hosted-joined hosted-address hosted-thread,$(eval $(call unit_test_parts,$(v))))

# What the end-to-end tests let other programs run.
OBJECTS += $(patsubst %,%.o,$(E2E_PROGRAMS))
$(eval $(call hosted_test,model,model,$(MODEL_MACHINE) $(MODEL_TESTS)))

# Measurements against other libraries; nothing here is a test.
BENCHES := $(basename $(notdir $(wildcard tests/bench/*.cpp)))
# Programs of the bare profile, each run by the measurement of the same name.
BARE_BENCHES := $(basename $(notdir $(wildcard tests/bench/bare/*.cpp)))
OBJECTS += $(patsubst %,$(BUILD)/hosted/tests/bench/%.o,$(BENCHES)) \
           $(patsubst %,$(BUILD)/bare/tests/bench/bare/%.o,$(BARE_BENCHES))

$(BUILD)/hosted/tests/bench/%: $(BUILD)/hosted/tests/bench/%.o $(BUILD)/hosted/librt.a
	$(call say,LINK,$@) $(CXX) -pthread $(filter %.o %.a,$^) $(PEERS) -o $@
$(BUILD)/hosted/tests/bench/lock: PEERS = $$(pkg-config --libs absl_synchronization)
$(BUILD)/hosted/tests/bench/switch: PEERS = -lboost_context
$(BUILD)/hosted/tests/bench/fiber: $(BUILD)/hosted/tests/bench/goroutines
$(BUILD)/hosted/tests/bench/http: $(BUILD)/hosted/tests/bench/web
$(BUILD)/hosted/tests/bench/fetch: $(BUILD)/hosted/tests/bench/fetches
$(patsubst %,$(BUILD)/hosted/tests/bench/%,goroutines web fetches echo_server): $(BUILD)/hosted/tests/bench/%: \
    tests/bench/%.go | $(BUILD)/tools/bench
	$(call say,GO,$@) mkdir -p $(@D) && GOCACHE=$(abspath $(BUILD))/go-cache go build -o $@ $<
$(BUILD)/hosted/tests/bench/echo: $(BUILD)/hosted/tests/bench/echo_server | $(BUILD)/hosted/tests/bench/peers/echo
$(BUILD)/hosted/tests/bench/peers/echo.o: | $(BUILD)/tools/bench
$(BUILD)/hosted/tests/bench/peers/echo: PEERS = -luv -lev -luring
OBJECTS += $(BUILD)/hosted/tests/bench/peers/echo.o
$(foreach b,$(BARE_BENCHES),$(eval $(BUILD)/hosted/tests/bench/$(b): | $(BUILD)/bare/tests/bench/bare/$(b)))
$(patsubst %,$(BUILD)/hosted/tests/bench/%.o,$(BENCHES)): | $(BUILD)/tools/bench

# --- Fuzzers ---------------------------------------------------------------------------------------------------------
# Each tests/fuzz/NAME.cpp, with clang's libFuzzer; tests/fuzz/fuzz.sh says what else may be there. `make test` runs each
# for a moment, with the same inputs every time.

#: seconds for which `make fuzz` runs each fuzzer
FUZZ_SECONDS ?= 60

FUZZERS    := $(basename $(notdir $(wildcard tests/fuzz/*.cpp)))
FUZZ_CHECK := address$(,)undefined
FUZZED     := $(filter rt/base/% rt/kernel/% rt/memory/% rt/io/address.cpp rt/io/http_% rt/io/dns_% rt/io/url.cpp \
                rt/process/cbor.cpp rt/process/value%,$(RT_hosted))
$(eval $(call variant,hosted-fuzz,hosted,clang++,$(HOSTED),$(DEBUG_FLAGS) \
  -g1 -fsanitize=fuzzer-no-link$(,)$(FUZZ_CHECK) -fno-sanitize-recover=undefined,$(FUZZED)))
$(BUILD)/hosted-fuzz/tests/fuzz/%: private EXTRA_FLAGS = -O1
$(BUILD)/hosted-fuzz/tests/fuzz/%: $(BUILD)/hosted-fuzz/tests/fuzz/%.o $(BUILD)/hosted-fuzz/librt.a
	$(call say,LINK,$@) clang++ -pthread -fsanitize=fuzzer$(,)$(FUZZ_CHECK) $^ -o $@
$(BUILD)/hosted-fuzz/tests/fuzz/%-test: $(BUILD)/hosted-fuzz/tests/fuzz/%
	$(Q)printf '#!/bin/sh\nexec tests/fuzz/fuzz.sh %s %s test\n' $< $* >$@ && chmod 755 $@
$(patsubst %,$(BUILD)/hosted-fuzz/%.o,$(basename $(RT_hosted))): | $(BUILD)/tools/fuzz
$(patsubst %,$(BUILD)/hosted-fuzz/tests/fuzz/%.o,$(FUZZERS)): | $(BUILD)/tools/fuzz
OBJECTS += $(patsubst %,$(BUILD)/hosted-fuzz/tests/fuzz/%.o,$(FUZZERS))
TESTS   += $(patsubst %,$(BUILD)/hosted-fuzz/tests/fuzz/%-test,$(FUZZERS))

# --- Other CPUs ------------------------------------------------------------------------------------------------------
# What the tests of binaries look at is built for every CPU, each by a make of its own; the smallest
# programs by clang and lld as well.

BARE_PROGRAMS := $(patsubst %,$(BUILD)/bare/apps/%,$(APPS)) $(patsubst %,$(BUILD)/bare/tests/bare/%,$(BARE_TESTS))
OTHER_CPUS    := $(filter-out $(ARCH),$(CPUS))

bare: $(BARE_PROGRAMS) $(patsubst %,$(BUILD)/bare-clang/apps/%,$(SMALLEST)) ## build the apps and tests of the bare profile

.PHONY: $(addprefix bare-,$(CPUS))
$(addprefix bare-,$(CPUS)): bare-%:
	$(Q)$(MAKE) --no-print-directory ARCH=$* BUILD=$(dir $(BUILD))$* \
	  CROSS_COMPILE=$(if $(filter-out $(HOST),$*),$*-linux-gnu-) bare

# --- Virtual machines ------------------------------------------------------------------------------------------------
# A kernel, and an initial RAM disk that has apps/init as its /init; facts of the machine are in arch/<cpu>/machine.mk.

include arch/$(ARCH)/machine.mk

ifneq ($(KERNEL),$(wildcard $(KERNEL)))
$(error KERNEL=$(KERNEL) is no file)
endif
MACHINE_KERNEL   := $(or $(KERNEL),$(BUILD)/machine/kernel)
KERNEL_ARGUMENTS := $(KERNEL_PACKAGE) $(if $(KERNEL_CONFIG),$(KERNEL_CONFIG) $(KERNEL_ARCH) '$(CROSS_COMPILE)')

$(BUILD)/machine/kernel: arch/$(ARCH)/machine.mk $(KERNEL_CONFIG) | $(BUILD)/tools/kernel
	$(Q)mkdir -p $(@D) && kernel=$$(tests/machine/kernel.sh $(KERNEL_ARGUMENTS)) && cp "$$kernel" $@

# $(1) init, $(2) the other programs; none of them with symbols or line numbers.
initramfs = $(call say,INITRD,$@) mkdir -p $(@D) && \
              tests/machine/initramfs.sh init=$(1).stripped $(foreach f,$(2),$(notdir $(f))=$(f).stripped) >$@

define app_machines
$(BUILD)/$(1)/machine/tour.cpio: $(patsubst %,$(BUILD)/$(1)/apps/%,$(APPS))
	$$(call initramfs,$(BUILD)/$(1)/apps/init,$$(filter-out %/init,$$^))
$(BUILD)/$(1)/machine/app-%.cpio: $(BUILD)/$(1)/apps/% $(BUILD)/$(1)/apps/init
	$$(call initramfs,$(BUILD)/$(1)/apps/init,$$<)
$(BUILD)/$(1)/machine/gdb-%.cpio: $(BUILD)/$(1)/apps/% $(BUILD)/$(1)/apps/init $(BUILD)/$(1)/tests/machine/load_address
	$$(call initramfs,$(BUILD)/$(1)/apps/init,$$< $(BUILD)/$(1)/tests/machine/load_address)
OBJECTS += $(BUILD)/$(1)/tests/machine/load_address.o
endef
$(foreach v,bare bare-debug,$(eval $(call app_machines,$(v))))

# All cases in one program.
$(BUILD)/machine/bare-tests: $(patsubst %,$(BUILD)/bare/tests/bare/%.o,$(BARE_TESTS)) $(BUILD)/bare/librt.a \
                             $(BUILD)/libmusl-pure.a linker/bare.ld linker/strip.sh
	@mkdir -p $(@D)
	$(call link_bare,$(CXX))
$(BUILD)/machine/bare-tests.cpio: $(BUILD)/machine/bare-tests $(BUILD)/bare/apps/init
	$(call initramfs,$(BUILD)/bare/apps/init,$<)
# An init that returns from main, which the kernel does not survive.
$(BUILD)/machine/panic.cpio: $(BUILD)/bare/apps/hello
	$(call initramfs,$<)

# Which kernel the machine has: another one than at the last time is seen, however old its file is.
$(BUILD)/machine/kernel.name: always
	$(Q)mkdir -p $(@D) && echo '$(MACHINE_KERNEL)' | cmp -s - $@ || echo '$(MACHINE_KERNEL)' >$@
.PHONY: always

# A program that starts this CPU's machine: boot RAM-DISK CPUS INIT-ARGUMENTS [QEMU-ARGUMENT]...
$(BUILD)/machine/boot: $(MACHINE_KERNEL) $(BUILD)/bare/machine/app-hello.cpio tests/machine/accelerator.sh \
                       $(BUILD)/machine/kernel.name arch/$(ARCH)/machine.mk | $(BUILD)/tools/machine
	$(Q)accelerator=$$(tests/machine/accelerator.sh $(ARCH) $< $(MACHINE_CONSOLE) '$(MACHINE)' $(word 2,$^)) && \
	  printf '#!/bin/sh\nexec tests/machine/boot.sh %s %s %s "%s" "$$@"\n' \
	    $< $(MACHINE_CONSOLE) $$accelerator '$(MACHINE)' >$@ && chmod 755 $@
$(BUILD)/machine/bare-tests-%-cpus: $(BUILD)/machine/boot $(BUILD)/machine/bare-tests.cpio
	$(Q)printf '#!/bin/sh\nexec tests/machine/test.sh 280 %s %s %s /bare-tests\n' $^ $* >$@ && chmod 755 $@

# What `make test` needs of each CPU whose machine it starts, and the tests among them. Those of other CPUs come from a
# make of their own.
machine_tests = $(foreach n,1 2 4,$(1)/machine/bare-tests-$(n)-cpus)
machine_parts = $(call machine_tests,$(1)) $(1)/machine/boot $(1)/bare/machine/tour.cpio
.PHONY: machine
machine: $(call machine_parts,$(BUILD))
	@:
machine_folders  := $(addprefix $(dir $(BUILD)),$(MACHINES))
TESTS            += $(foreach folder,$(machine_folders),$(call machine_tests,$(folder)))
MACHINE_PROGRAMS := $(foreach folder,$(machine_folders),$(call machine_parts,$(folder))) \
                    $(BUILD)/machine/boot $(BUILD)/machine/panic.cpio $(BUILD)/bare/machine/app-09_event.cpio
define other_machine
$(call machine_parts,$(dir $(BUILD))$(1)) &: bare-$(1)
	$(Q)$$(MAKE) --no-print-directory ARCH=$(1) BUILD=$(dir $(BUILD))$(1) KERNEL=$(KERNEL_$(1)) machine
endef
$(foreach cpu,$(filter-out $(ARCH),$(MACHINES)),$(eval $(call other_machine,$(cpu))))

# --- Tools -----------------------------------------------------------------------------------------------------------
# A recipe that finds or installs what a step needs: each word is COMMAND-or-FILE:PACKAGE of Debian. One installs at a
# time, as apt-get does not wait for another.

require = $(Q)mkdir -p $(@D); missing=; packages=; for need in $(1); do \
    tool=$${need%%:*}; command -v $$tool >/dev/null 2>&1 || [ -e $$tool ] || \
      { missing="$$missing $$tool"; packages="$$packages $${need\#*:}"; }; \
  done; \
  if [ -n "$$missing" ]; then \
    if ! command -v apt-get >/dev/null 2>&1; then \
      echo "rt needs these, please install them:$$missing" >&2; exit 1; \
    elif [ "$$(id -u)" = 0 ]; then as_root=; \
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=sudo; \
    else echo "rt needs some packages, please run: sudo apt-get install$$packages" >&2; exit 1; fi; \
    exec 9<$(dir $(BUILD)) && flock 9; echo "  INSTALL$$packages"; \
    { $$as_root apt-get -qq update && $$as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq install -y --no-install-recommends $$packages >/dev/null; } || \
      { echo "that failed; please run: sudo apt-get install$$packages" >&2; exit 1; }; \
  fi; touch $@

# A cross compiler's package brings the kernel's and the C library's headers for its CPU, which clang finds as well.
GXX_PACKAGE := g++$(if $(CROSS_COMPILE),-$(subst _,-,$(ARCH))-linux-gnu)

$(BUILD)/tools/build:
	$(call require,$(CROSS_COMPILE)g++:$(GXX_PACKAGE) $(CROSS_COMPILE)ld.bfd:binutils \
	  $(if $(findstring clang,$(CXX)),clang++:clang ld.lld:lld) \
	  $(if $(CROSS_COMPILE),,/usr/include/linux/futex.h:linux-libc-dev))

$(BUILD)/tools/test: $(BUILD)/tools/build
	$(call require,g++:g++ clang++:clang ld.lld:lld gdb:gdb /usr/include/doctest/doctest.h:doctest-dev \
	  cmake:cmake pkg-config:pkgconf /usr/lib/python3/dist-packages/cbor2:python3-cbor2 \
	  /usr/sbin/dnsmasq:dnsmasq-base /usr/sbin/nginx:nginx-light python3:python3 nc:netcat-openbsd curl:curl)

$(BUILD)/tools/fuzz: $(BUILD)/tools/test
	$(call require,$(shell clang++ -print-file-name=libclang_rt.fuzzer-$(ARCH).a):libclang-rt-$(shell \
	  clang++ -dumpversion | cut -d. -f1)-dev)

$(BUILD)/tools/machine:
	$(call require,$(firstword $(MACHINE)):$(MACHINE_PACKAGE))

$(BUILD)/tools/gdb:
	$(call require,$(GDB):$(GDB))

# What building a kernel needs, if it is not there yet.
$(BUILD)/tools/kernel: $(BUILD)/tools/build
	$(call require,$(if $(KERNEL_CONFIG),$(shell tests/machine/kernel.sh --cached $(KERNEL_ARGUMENTS) >/dev/null || \
	  echo flex:flex bison:bison bc:bc xz:xz-utils)))

$(BUILD)/tools/quick: $(BUILD)/tools/build
	$(call require,qemu-$(ARCH):qemu-user)

$(BUILD)/tools/study: $(BUILD)/tools/build
	$(call require,$(if $(filter $(HOST),$(ARCH)),gdb:gdb,gdb-multiarch:gdb-multiarch qemu-$(ARCH):qemu-user))

$(BUILD)/tools/bench: $(BUILD)/tools/build
	$(call require,/usr/include/absl/synchronization/mutex.h:libabsl-dev pkg-config:pkgconf \
	  /usr/include/concurrentqueue/concurrentqueue.h:libconcurrentqueue-dev \
	  /usr/include/boost/context/fiber.hpp:libboost-context-dev go:golang-go \
	  redis-server:redis-server /usr/include/uv.h:libuv1-dev /usr/include/ev.h:libev-dev /usr/include/liburing.h:liburing-dev \
	  /usr/include/boost/interprocess/ipc/message_queue.hpp:libboost-dev python3:python3 \
	  /usr/lib/python3/dist-packages/greenlet:python3-greenlet /usr/lib/python3/dist-packages/gevent:python3-gevent \
	  wrk:wrk /usr/sbin/nginx:nginx-light)

# --- SDK -------------------------------------------------------------------------------------------------------------
# The compiler wrapper, headers, library, and what pkg-config and CMake read, laid out below SDK as below an
# installation's PREFIX: bin/, include/rt/, lib/rt/<cpu>/, lib/pkgconfig/, lib/cmake/rt/. For several CPUs install each.

#: where `make install` puts the SDK
PREFIX ?= /usr/local
#: directory that stands before PREFIX while installing, for makers of packages
DESTDIR ?=

VERSION := 0.1.0
SDK     := $(BUILD)/sdk$(if $(filter 1,$(DEBUG)),-debug)
SDK_CPU := $(SDK)/lib/rt/$(ARCH)

SDK_FILES := $(SDK)/bin/rt-c++ $(SDK)/bin/$(ARCH)-rt-c++ \
             $(patsubst %,$(SDK_CPU)/%,librt.a libmusl-pure.a bare.ld flags) \
             $(patsubst %,$(SDK)/include/rt/%,$(wildcard rt/*.hpp rt/*/*.hpp)) \
             $(patsubst arch/$(ARCH)/%,$(SDK_CPU)/include/arch/%,$(wildcard arch/$(ARCH)/*.hpp)) \
             $(SDK)/share/rt/fibers-gdb.py \
             $(SDK)/lib/pkgconfig/rt-$(ARCH).pc $(if $(filter $(HOST),$(ARCH)),$(SDK)/lib/pkgconfig/rt.pc) \
             $(SDK)/lib/cmake/rt/rt-config.cmake $(SDK)/lib/cmake/rt/rt-config-version.cmake

sdk: $(SDK_FILES) ## build the compiler wrapper rt-c++ with its headers and libraries

copy = $(Q)mkdir -p $(@D) && cp $< $@
$(SDK)/bin/rt-c++: linker/rt-c++.sh
	$(copy) && chmod 755 $@
$(SDK)/bin/$(ARCH)-rt-c++: | $(SDK)/bin/rt-c++
	$(Q)ln -sf rt-c++ $@
$(SDK_CPU)/librt.a: $(BARE_BUILD)/librt.a
	$(copy)
$(SDK_CPU)/libmusl-pure.a: $(BUILD)/libmusl-pure.a
	$(copy)
$(SDK_CPU)/bare.ld: linker/bare.ld
	$(copy)
$(SDK)/share/rt/fibers-gdb.py: rt/hub/fibers-gdb.py
	$(copy)
$(SDK_CPU)/include/arch/%: arch/$(ARCH)/%
	$(copy)
$(SDK)/include/rt/%: %
	$(copy)
$(SDK)/lib/cmake/rt/rt-config.cmake: linker/rt-config.cmake
	$(copy)

# The flags of programs, for the shell and for CMake.
$(SDK_CPU)/flags: Makefile arch/$(ARCH)/flags.mk
	$(Q)mkdir -p $(@D) && printf '%s="%s"\n' \
	  compiler '$(CXX)' compile '$(strip $(DIALECT) $(BARE))' link '$(strip $(BARE_LINK))' \
	  gcc_compile '$(strip $(ARCH_GCC_FLAGS))' gcc_link '$(strip $(call linker,g++))' \
	  clang_compile '$(strip $(ARCH_CLANG_FLAGS))' clang_link '$(strip $(call linker,clang++))' > $@

fill_in = $(Q)mkdir -p $(@D) && sed -e 's|@VERSION@|$(VERSION)|' -e 's|@CPU@|$(ARCH)|' \
            -e 's|@COMPILE@|$(strip $(DIALECT) $(BARE) $(ARCH_GCC_FLAGS))|' \
            -e 's|@LINK@|$(strip $(BARE_LINK) $(call linker,g++))|' $< > $@
$(SDK)/lib/pkgconfig/rt.pc $(SDK)/lib/pkgconfig/rt-$(ARCH).pc: linker/rt.pc.in Makefile arch/$(ARCH)/flags.mk
	$(fill_in)
$(SDK)/lib/cmake/rt/rt-config-version.cmake: linker/rt-config-version.cmake.in Makefile
	$(fill_in)

install: sdk ## install the SDK below DESTDIR and PREFIX
	$(call say,SDK,to $(DESTDIR)$(PREFIX)) linker/install.sh install '$(SDK)' '$(DESTDIR)$(PREFIX)' lib/rt/$(ARCH)/installed $(SDK_FILES:$(SDK)/%=%)

uninstall: ## remove what was installed below DESTDIR and PREFIX, for all CPUs
	$(call say,SDK,from $(DESTDIR)$(PREFIX)) linker/install.sh uninstall '$(DESTDIR)$(PREFIX)' $(patsubst %,lib/rt/%/installed,$(CPUS))

# --- Containers ------------------------------------------------------------------------------------------------------
# The image of an app holds this app alone; the one of the tour holds all apps, and init to be PID 1.

#: CPUs that the image is for
IMAGE_CPUS ?= $(ARCH)
#: name of the image
IMAGE ?= localhost/rt-$(IMAGE_APP):latest
#: podman, docker (both with options, if need be) or namespaces; empty: the first of these that works
CONTAINER_ENGINE ?=
#: options for the engine's run command
CONTAINER_FLAGS ?=

IMAGE_APP     = $(or $(APP),tour)
IMAGE_APPS    = $(if $(filter tour,$(IMAGE_APP)),$(APPS),$(IMAGE_APP))
IMAGE_ENTRY   = $(if $(filter tour,$(IMAGE_APP)),/init --tour /,/$(IMAGE_APP))
IMAGE_ARCHIVE = build/image/$(IMAGE_APP)$(if $(filter 1,$(words $(IMAGE_CPUS))),-$(IMAGE_CPUS)).tar
image_root    = build/image/$(IMAGE_APP)/$(1)
platform      = $(shell sed -n 's/^ARCH_PLATFORM *:= *//p' arch/$(1)/flags.mk)

demand_cpus = $(if $(filter-out $(CPUS),$(1)),$(error there is no CPU '$(filter-out $(CPUS),$(1))'; rt knows: $(CPUS)))

# All files of the image for this CPU.
image-root: $(patsubst %,$(BARE_BUILD)/apps/%,$(IMAGE_APPS))
	$(Q)rm -rf $(call image_root,$(ARCH)) && mkdir -p $(call image_root,$(ARCH)) && \
	  $(foreach app,$(IMAGE_APPS),cp $(BARE_BUILD)/apps/$(app).stripped $(call image_root,$(ARCH))/$(app) &&) :

image: ## make a container image archive of APP, for IMAGE_CPUS
	$(call demand_app,$(IMAGE_APP))
	$(call demand_cpus,$(IMAGE_CPUS))
	$(Q)for cpu in $(IMAGE_CPUS); do $(MAKE) --no-print-directory ARCH=$$cpu APP=$(IMAGE_APP) image-root || exit 1; done
	$(call say,IMAGE,$(IMAGE_ARCHIVE)) apps/pack/image.sh $(IMAGE_ARCHIVE) $(IMAGE) '$(IMAGE_ENTRY)' \
	  $(foreach cpu,$(IMAGE_CPUS),$(call platform,$(cpu))=$(call image_root,$(cpu)))

images: ## make one archive with the tour's images for all CPUs
	$(Q)$(MAKE) --no-print-directory APP=tour IMAGE_CPUS='$(CPUS)' image

container: image ## run APP with ARGS in a container, with podman, docker or bare namespaces
	$(Q)CONTAINER_ENGINE='$(CONTAINER_ENGINE)' CONTAINER_FLAGS='$(CONTAINER_FLAGS)' \
	  apps/pack/container.sh $(IMAGE_ARCHIVE) $(IMAGE) $(ARGS)

# --- Targets ---------------------------------------------------------------------------------------------------------

.PHONY: help apps bare run qemu qemu-gdb sdk install uninstall image image-root images container test stress fuzz \
        model mutants bench study quick clean distclean

help: ## list the targets and the variables with their values
	@printf 'Targets\n'; sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
	  awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
	@printf '\nVariables (make NAME=value)\n'; $(foreach v,$(shell sed -n '/^#: /{n;/^ifeq/n;s/ [?:]*=.*//p}' Makefile), \
	  printf '  %-14s %-44s %s\n' '$(v)' '$($(v))' "$$(grep -B2 '^$(v) [?:]*=' Makefile | sed -n 's/^#: //p' | tail -1)";)

apps: $(patsubst %,$(BUILD)/$(VARIANT)/apps/%,$(APPS)) sdk ## build all apps and the SDK

run: apps ## build and run the tour: each app in order, then a table of sizes and times
	@$(BUILD)/$(VARIANT)/apps/tour $(BUILD)/$(VARIANT)/apps $(TIME_SCALE)

QEMU_VARIANT := $(BUILD)/bare$(if $(filter 1,$(DEBUG)),-debug)
QEMU_NAME    := $(if $(APP),app-$(APP),tour)
GDB_APP      := $(or $(APP),hello)
GDB          := $(if $(CROSS_COMPILE),gdb-multiarch,gdb)
ifneq ($(filter qemu qemu-gdb,$(MAKECMDGOALS)),)
$(call demand_app,$(APP))
endif

qemu: $(BUILD)/machine/boot $(QEMU_VARIANT)/machine/$(QEMU_NAME).cpio ## run APP with ARGS, or the tour, in a virtual machine
	@$^ $(SMP) '$(if $(APP),/$(APP) $(ARGS),/tour / $(TIME_SCALE))'

qemu-gdb: $(BUILD)/machine/boot $(QEMU_VARIANT)/machine/gdb-$(GDB_APP).cpio | $(BUILD)/tools/gdb ## the same for APP or hello, waiting for gdb
	@tests/machine/gdb.sh $^ $(SMP) $(QEMU_VARIANT)/apps/$(GDB_APP) '$(ARGS)' $(GDB_PORT) $(GDB)

# The tests that take longest come first, so that what runs beside the last of them is short.
BEGAN      := $(shell date +%s)
LONG_TESTS := %/e2e-tests %-of-processes %-of-the-rest %-by-io_uring %/model-tests %/stress-tests %-cpus

test: apps bare $(E2E_PROGRAMS) $(MACHINE_PROGRAMS) $(TESTS) $(addprefix bare-,$(OTHER_CPUS)) ## run all tests; what CI runs
	$(if $(filter-out $(MACHINES),$(CPUS)),@echo 'MACHINES leaves out: $(filter-out $(MACHINES),$(CPUS))')
	@RT_BEGAN=$(BEGAN) RT_BUILD=$(BUILD) RT_APPS=$(BUILD)/bare/apps RT_MACHINES='$(machine_folders)' \
	  tests/run.sh $(filter $(LONG_TESTS),$(TESTS)) $(filter-out $(LONG_TESTS),$(TESTS))

stress: $(BUILD)/hosted-thread/stress-tests $(BUILD)/hosted-address/stress-tests ## the stress tests for 10 seconds each
	$(Q)for program in $^; do RT_STRESS_SECONDS=10 $$program || exit 1; done

fuzz: $(patsubst %,$(BUILD)/hosted-fuzz/tests/fuzz/%,$(FUZZERS)) ## the fuzzers for FUZZ_SECONDS each
	$(Q)for name in $(FUZZERS); do \
	  tests/fuzz/fuzz.sh $(BUILD)/hosted-fuzz/tests/fuzz/$$name $$name $(FUZZ_SECONDS) $(BUILD)/fuzz/$$name || exit 1; \
	done

model: $(BUILD)/model/model-tests ## explore the primitives' interleavings for minutes, with a new seed
	$(Q)seed=$$(date +%s) && echo "RT_MODEL_SEED=$$seed" && RT_MODEL_VERBOSE=1 RT_MODEL_MORE=1 RT_MODEL_SEED=$$seed $<

mutants: $(BUILD)/model/model-tests ## build the primitives with mistakes that the model must find
	$(Q)MODEL=$(BUILD)/model COMPILE='$(CXX)' LINK='$(CXX) -pthread' \
	  FLAGS='$(filter-out -MMD -MP,$(CXXFLAGS)) $(MODEL_FLAGS) -fexceptions $(WATCHED) -w' tests/model/mutants.sh $(MUTANT)

bench: $(patsubst %,$(BUILD)/hosted/tests/bench/%,$(BENCHES)) apps ## measure against other libraries
	$(Q)for program in $(BENCHES); do $(BUILD)/hosted/tests/bench/$$program || exit 1; done

study: $(BUILD)/bare/tests/study/switch | $(BUILD)/tools/study ## step through a switch of flows, instruction by instruction
	@tests/study/step.sh $(ARCH) $<

quick: bare | $(BUILD)/tools/quick ## a quick look at another CPU's programs, under qemu-user
	@tests/quick.sh $(ARCH) $(BUILD)/bare

clean: ## remove everything built for all CPUs
	$(Q)rm -rf build

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rt

distclean: clean ## the same, and say what is kept outside for the next build
	@[ ! -d $(CACHE) ] || { echo 'kept for the next build; remove it if you want:'; du -sh $(CACHE); }

-include $(OBJECTS:.o=.d)
