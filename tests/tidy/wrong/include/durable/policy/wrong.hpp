#include "fine.hpp"

#include <durable/gone.hpp>
#include <durable/journal/fine.hpp>

#include <sqlite3.h>
