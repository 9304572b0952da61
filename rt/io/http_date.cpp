#include <rt/io/http_date.hpp>

#include <rt/io/http_characters.hpp>

namespace rt::http {
namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat", months = "JanFebMarAprMayJunJulAugSepOctNovDec";

// The Gregorian calendar repeats after 400 years, which have 146,097 days. Years that begin in March have the leap day
// at their end; the months from March on begin (153 * month + 2) / 5 days into such a year.
constexpr std::int64_t days_of_400_years = 146'097, days_before_1970 = 719'468; // since March 1st of the year 0

struct Day {
  std::int64_t year;
  unsigned month; // 0 to 11
  unsigned day;   // 1 to 31
};

constexpr Day day_of(std::int64_t since_1970) {
  const std::int64_t number = since_1970 + days_before_1970;
  const std::int64_t era = (number >= 0 ? number : number - days_of_400_years + 1) / days_of_400_years;
  const std::int64_t in_era = number - era * days_of_400_years;
  const std::int64_t year = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * in_year + 2) / 153;
  return {year + era * 400 + (month >= 10), static_cast<unsigned>(month >= 10 ? month - 10 : month + 2),
          static_cast<unsigned>(in_year - (153 * month + 2) / 5 + 1)};
}

constexpr std::int64_t days_since_1970(Day day) {
  const std::int64_t year = day.year - (day.month < 2), month = day.month < 2 ? day.month + 10 : day.month - 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400, in_era = year - era * 400;
  return era * days_of_400_years + in_era * 365 + in_era / 4 - in_era / 100 + (153 * month + 2) / 5 + day.day - 1 -
         days_before_1970;
}
static_assert(days_since_1970({1970, 0, 1}) == 0 && days_since_1970({2000, 2, 1}) == 11'017);

/// Takes parts off a date; what does not fit makes all that follows fail.
struct Reader {
  std::string_view text;
  bool good = true;

  void literal(std::string_view wanted) {
    good = good && text.starts_with(wanted);
    if (good) text.remove_prefix(wanted.size());
  }
  unsigned number(std::size_t size) {
    good = good && text.size() >= size && all_of(text.substr(0, size), digit);
    unsigned value = 0;
    if (!good) return 0;
    for (const char c : text.substr(0, size)) value = value * 10 + static_cast<unsigned>(c - '0');
    text.remove_prefix(size);
    return value;
  }
  unsigned month() {
    const std::size_t at = text.size() < 3 ? months.npos : months.find(text.substr(0, 3));
    good = good && at != months.npos && at % 3 == 0;
    if (!good) return 0;
    text.remove_prefix(3);
    return static_cast<unsigned>(at / 3);
  }
  std::int64_t time() {
    const unsigned hour = number(2);
    literal(":");
    const unsigned minute = number(2);
    literal(":");
    const unsigned second = number(2);
    good = good && hour < 24 && minute < 60 && second <= 60;
    return hour * 3600 + minute * 60 + second;
  }
};

} // namespace

void write_date(char (&to)[date_size], std::int64_t seconds) {
  const std::int64_t number = (seconds >= 0 ? seconds : seconds - 86'399) / 86'400, rest = seconds - number * 86'400;
  const Day day = day_of(number);
  char* at = to;
  const auto put = [&](std::string_view text) { at = std::copy(text.begin(), text.end(), at); };
  const auto put_number = [&](std::int64_t value, unsigned digits) {
    for (unsigned i = digits; i-- != 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
    at += digits;
  };
  put(days.substr(static_cast<std::size_t>(((number + 4) % 7 + 7) % 7) * 3, 3));
  put(", ");
  put_number(day.day, 2);
  put(" ");
  put(months.substr(day.month * 3, 3));
  put(" ");
  put_number(day.year, 4);
  put(" ");
  put_number(rest / 3600, 2);
  put(":");
  put_number(rest / 60 % 60, 2);
  put(":");
  put_number(rest % 60, 2);
  put(" GMT");
}

std::optional<std::int64_t> read_date(std::string_view text) {
  const std::size_t comma = text.find(',');
  Day day{};
  std::int64_t time = 0;
  Reader reader{text.substr(comma == text.npos ? std::min<std::size_t>(text.size(), 3) : comma + 1)};
  reader.literal(" ");
  if (comma == text.npos) { // Sun Nov  6 08:49:37 1994
    day.month = reader.month();
    reader.literal(" ");
    const bool one_digit = reader.text.starts_with(' ');
    if (one_digit) reader.literal(" ");
    day.day = reader.number(one_digit ? 1 : 2);
    reader.literal(" ");
    time = reader.time();
    reader.literal(" ");
    day.year = reader.number(4);
  } else {
    day.day = reader.number(2);
    const bool short_year = reader.text.starts_with('-'); // Sunday, 06-Nov-94 08:49:37 GMT
    reader.literal(short_year ? "-" : " ");
    day.month = reader.month();
    reader.literal(short_year ? "-" : " ");
    day.year = reader.number(short_year ? 2 : 4);
    if (short_year) day.year += day.year < 70 ? 2000 : 1900;
    reader.literal(" ");
    time = reader.time();
    reader.literal(" GMT");
  }
  if (!reader.good || !reader.text.empty() || day.day == 0 || day.day > 31) return {};
  return days_since_1970(day) * 86'400 + time;
}

} // namespace rt::http
