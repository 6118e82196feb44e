// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <utility>

/// SQLite's file system, but one of its calls fails, and what is synced is watched: for tests of
/// one thread. SQLite uses it for all that is opened while it lives.
class FaultVfs {
public:
    enum class Lasting { once, fromThenOn };

    FaultVfs() : real_{sqlite3_vfs_find(nullptr)}, vfs_{*real_} {
        vfs_.pNext = nullptr;
        vfs_.zName = "fault";
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        vfs_.pAppData = this;
        vfs_.xOpen = open;
        vfs_.xDelete = remove;
        vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* result) {
            return self(vfs).real_->xAccess(self(vfs).real_, name, flags, result);
        };
        vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* path) {
            return self(vfs).real_->xFullPathname(self(vfs).real_, name, size, path);
        };
        vfs_.xSleep = [](sqlite3_vfs* vfs, int microseconds) {
            self(vfs).slept_ += microseconds;
            if (self(vfs).whileAsleep_) self(vfs).whileAsleep_();
            return microseconds;
        };
        sqlite3_vfs_register(&vfs_, 1);
    }
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;
    ~FaultVfs() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(real_, 1);
    }

    /// The call of this number, from 1, counted from now, fails. 0: none does.
    void arm(std::size_t call, Lasting lasting) {
        armed_ = call;
        lasting_ = lasting;
        calls_ = 0;
        failed_.clear();
    }

    /// The next syncs of a write-ahead log fail, so many of them.
    void armLogSyncs(std::size_t count) { failingLogSyncs_ = count; }

    /// The first call that failed, or empty.
    [[nodiscard]] const std::string& failed() const { return failed_; }

    /// How often a write-ahead log was synced.
    [[nodiscard]] std::size_t logSyncs() const { return logSyncs_; }

    /// Whether all that was written to write-ahead logs is synced.
    [[nodiscard]] bool logIsSynced() const { return !logIsAhead_; }

    /// How often a database was written to while its log was not synced: pages that a loss of power
    /// leaves in the one and takes from the other.
    [[nodiscard]] std::size_t writesBeforeLogSync() const { return writesBeforeLogSync_; }

    /// Called instead of sleeping.
    void whileAsleep(std::function<void()> action) { whileAsleep_ = std::move(action); }

    /// For how long SQLite wanted to sleep, in microseconds.
    [[nodiscard]] std::int64_t slept() const { return slept_; }

private:
    struct File {
        sqlite3_file base;
        FaultVfs* owner;
        int type;  // of SQLITE_OPEN_*

        [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };

    [[nodiscard]] static FaultVfs& self(sqlite3_vfs* vfs) {
        return *static_cast<FaultVfs*>(vfs->pAppData);
    }
    [[nodiscard]] static File& self(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

    /// Whether this call is to fail.
    [[nodiscard]] bool fails(const char* call) {
        ++calls_;
        const bool hit = armed_ != 0 &&
                         (calls_ == armed_ || (lasting_ == Lasting::fromThenOn && calls_ > armed_));
        if (hit && failed_.empty()) failed_ = call;
        return hit;
    }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                    int* flagsOut) {
        auto& made = *new (file) File{};
        made.owner = &self(vfs);
        made.type = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL);
        if (self(vfs).fails("open")) return SQLITE_CANTOPEN;
        auto* real = self(vfs).real_;
        const int code = real->xOpen(real, name, made.real(), flags, flagsOut);
        if (made.real()->pMethods != nullptr) made.base.pMethods = &methods();
        return code;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int syncDirectory) {
        if (self(vfs).fails("delete")) return SQLITE_IOERR_DELETE;
        return self(vfs).real_->xDelete(self(vfs).real_, name, syncDirectory);
    }

    /// Every second one writes half of what it should.
    static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
        auto* real = self(file).real();
        auto& owner = *self(file).owner;
        if (self(file).type == SQLITE_OPEN_WAL) owner.logIsAhead_ = true;
        if (self(file).type == SQLITE_OPEN_MAIN_DB && owner.logIsAhead_) {
            ++owner.writesBeforeLogSync_;
        }
        if (owner.fails("write")) {
            if (owner.calls_ % 2 == 0) return SQLITE_IOERR_WRITE;
            real->pMethods->xWrite(real, bytes, count / 2, offset);
            return SQLITE_FULL;
        }
        return real->pMethods->xWrite(real, bytes, count, offset);
    }

    [[nodiscard]] static const sqlite3_io_methods& methods() {
        static const sqlite3_io_methods all = [] {
            sqlite3_io_methods m{};
            m.iVersion = 2;
            m.xClose = [](sqlite3_file* f) {
                return self(f).real()->pMethods->xClose(self(f).real());
            };
            m.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 offset) {
                if (self(f).owner->fails("read")) return SQLITE_IOERR_READ;
                return self(f).real()->pMethods->xRead(self(f).real(), to, count, offset);
            };
            m.xWrite = write;
            m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
                if (self(f).owner->fails("truncate")) return SQLITE_IOERR_TRUNCATE;
                return self(f).real()->pMethods->xTruncate(self(f).real(), size);
            };
            m.xSync = [](sqlite3_file* f, int flags) {
                if (self(f).owner->fails("sync")) return SQLITE_IOERR_FSYNC;
                if (self(f).type == SQLITE_OPEN_WAL) {
                    if (self(f).owner->failingLogSyncs_ > 0) {
                        --self(f).owner->failingLogSyncs_;
                        return SQLITE_IOERR_FSYNC;
                    }
                    ++self(f).owner->logSyncs_;
                    self(f).owner->logIsAhead_ = false;
                }
                return self(f).real()->pMethods->xSync(self(f).real(), flags);
            };
            m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
                if (self(f).owner->fails("file size")) return SQLITE_IOERR_FSTAT;
                return self(f).real()->pMethods->xFileSize(self(f).real(), size);
            };
            m.xLock = [](sqlite3_file* f, int level) {
                if (self(f).owner->fails("lock")) return SQLITE_BUSY;
                return self(f).real()->pMethods->xLock(self(f).real(), level);
            };
            m.xUnlock = [](sqlite3_file* f, int level) {
                return self(f).real()->pMethods->xUnlock(self(f).real(), level);
            };
            m.xCheckReservedLock = [](sqlite3_file* f, int* result) {
                return self(f).real()->pMethods->xCheckReservedLock(self(f).real(), result);
            };
            m.xFileControl = [](sqlite3_file* f, int operation, void* argument) {
                return self(f).real()->pMethods->xFileControl(self(f).real(), operation, argument);
            };
            m.xSectorSize = [](sqlite3_file* f) {
                return self(f).real()->pMethods->xSectorSize(self(f).real());
            };
            m.xDeviceCharacteristics = [](sqlite3_file* f) {
                return self(f).real()->pMethods->xDeviceCharacteristics(self(f).real());
            };
            m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
                if (self(f).owner->fails("shm map")) return SQLITE_IOERR_SHMMAP;
                return self(f).real()->pMethods->xShmMap(self(f).real(), page, size, extend, to);
            };
            m.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) {
                const bool locks = (flags & SQLITE_SHM_LOCK) != 0;
                if (locks && self(f).owner->fails("shm lock")) return SQLITE_BUSY;
                return self(f).real()->pMethods->xShmLock(self(f).real(), offset, count, flags);
            };
            m.xShmBarrier = [](sqlite3_file* f) {
                self(f).real()->pMethods->xShmBarrier(self(f).real());
            };
            m.xShmUnmap = [](sqlite3_file* f, int deletes) {
                return self(f).real()->pMethods->xShmUnmap(self(f).real(), deletes);
            };
            return m;
        }();
        return all;
    }

    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;
    std::size_t armed_{};
    std::size_t calls_{};
    Lasting lasting_{Lasting::once};
    std::string failed_;
    std::size_t failingLogSyncs_{};
    std::size_t logSyncs_{};
    std::size_t writesBeforeLogSync_{};
    bool logIsAhead_{};
    std::int64_t slept_{};
    std::function<void()> whileAsleep_{};
};
