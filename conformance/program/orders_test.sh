#!/usr/bin/env bash
# orders_test.sh ORDERS DRIVER_RUNNER LEAKY: tests orders.py with a driver that leaks, and with a program whose trials
# depend on their order.
set -euo pipefail
source syscalls/testing/expect.sh

orders=$PWD/$1
program=$PWD/$2
leaky="python3 $PWD/$3"
tested=(python3 "$orders")

expect 0 "3 orders of 32 trials, 0 depend on the order" --program="$program" --driver="$leaky" --orders=3 \
  --seed=1 --jobs=1 --cases='connect.failure.*,descriptors.exec.*,listen.privileged.*'

# A program whose second case passes only before the first.
cat > "$TEST_TMPDIR/fake" << 'END'
#!/usr/bin/env bash
for argument; do
  case $argument in
    --records=*) records=${argument#*=} ;;
    --seed=*) seed=${argument#*=} ;;
    --cases=none) exit 2 ;;
  esac
done
outcomes=(pass fail)
{
  echo '{"environment":{}}'
  echo '{"case":"a.first","axis":"v4","outcome":"pass","leak":"leak"}'
  echo "{\"case\":\"a.second\",\"axis\":\"v4\",\"outcome\":\"${outcomes[seed % 2]}\",\"leak\":\"\"}"
} > "$records"
exit 1
END
chmod +x "$TEST_TMPDIR/fake"
fake=(--program="$TEST_TMPDIR/fake" --driver=none)
expect 1 "a.second v4
  fail: seed 7
  pass: seed 6, 8
3 orders of 2 trials, 1 depend on the order" "${fake[@]}" --orders=3 --seed=6
expect 1 "order 2 of 2, seed 7: 2 trials" "${fake[@]}" --orders=2 --seed=6
expect 2 "seed 6: the run ended with status 2" "${fake[@]}" --seed=6 --cases=none
expect 2 "--orders: must be at least 2" "${fake[@]}" --orders=1
expect 0 "compares each trial's outcomes" --help

exit $((failures > 0))
