#!/bin/sh
# Tests the model: builds rt with one mistake after the other (mutants.list) and expects the model's tests to fail each
# time. Run by `make mutants`, which says in the environment how to compile: MODEL (where the model is built), COMPILE,
# FLAGS and LINK. Arguments: words that "test: name" of a mutant has to contain; none: all mutants.

list=tests/model/mutants.list
work=$MODEL/mutants
words=$*
found=0 missed=0

# Builds the mutant and runs its tests: 0: they fail.
is_found() {
  rm -rf "$work" && mkdir -p "$work/$(dirname "$file")" || exit 1
  sed "$edit" "$file" >"$work/$file"
  if cmp -s "$file" "$work/$file"; then
    echo "the edit changes nothing in $file" >"$work/output"
    return 1
  fi
  cp "$MODEL/librt.a" "$work" || exit 1
  objects=$MODEL/tests/model/${test}_test.o
  for object in $(find "$MODEL/rt" -name '*.o') "$objects"; do
    if grep -q "[ ]$file\( \|\$\)" "${object%.o}.d"; then
      source=${object#"$MODEL"/}
      source=${source%.o}.cpp
      [ -e "$work/$source" ] && source=$work/$source
      mutant=$work/$(basename "$object")
      $COMPILE -I"$work" -Itests/model $FLAGS -c "$source" -o "$mutant" >"$work/output" 2>&1 || return 1
      case $object in
      *_test.o) objects=$mutant ;;
      *) ar rD "$work/librt.a" "$mutant" >>"$work/output" 2>&1 || return 1 ;;
      esac
    fi
  done
  for source in tests/main.cpp tests/model/*.cpp; do
    case $source in
    *_test.cpp) ;;
    *) objects="$objects $MODEL/${source%.cpp}.o" ;;
    esac
  done
  $LINK $objects "$work/librt.a" -o "$work/tests" >>"$work/output" 2>&1 || return 1
  timeout 120 "$work/tests" --abort-after=1 >"$work/output" 2>&1
  grep -q "^scenario .* fails:\|was ended by signal" "$work/output"
}

check() {
  [ -n "$name" ] || return
  case "$test: $name" in
  *"$words"*) ;;
  *) name= && return ;;
  esac
  if is_found; then
    found=$((found + 1))
    printf '  found   %s\n' "$name"
  else
    missed=$((missed + 1))
    printf '  MISSED  %s\n' "$name"
    tail -n 5 "$work/output"
  fi
  name=
}

while IFS= read -r line; do
  case $line in
  'name: '*) check; name=${line#name: } ;;
  'file: '*) file=${line#file: } ;;
  'test: '*) test=${line#test: } ;;
  'edit: '*) edit=${line#edit: } ;;
  esac
done <"$list"
check
printf '%s passed, %s failed\n' "$found" "$missed"
[ "$missed" = 0 ]
