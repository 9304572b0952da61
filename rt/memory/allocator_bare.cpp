// libstdc++'s headers leave these two classes to libstdc++.so, and without optimisation they are called.

#include <memory>

template class std::allocator<char>;
template class std::allocator<wchar_t>;
